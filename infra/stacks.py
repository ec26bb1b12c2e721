"""The stacks of a stage: what domains share in an account, and one stack for each domain."""

from aws_cdk import Environment, Stack, Token
from constructs import Construct

from infra.aws.keys import encryption_key, let_eventbridge_use
from infra.aws.messaging import Buses, Messaging
from infra.aws.plan import Plan, Site
from infra.aws.tables import Tables
from infra.resources import Domain


class SharedStack(Stack):
    """What the domains of one account share."""

    def __init__(self, scope: Construct, plan: Plan, site: Site) -> None:
        part = f"shared{site.suffix}"
        super().__init__(scope, plan.stack_name(part), env=_environment(site))
        for domain in site.domains:
            Buses(self, plan, domain)


class DomainStack(Stack):
    def __init__(self, scope: Construct, plan: Plan, site: Site, domain: Domain) -> None:
        super().__init__(scope, plan.stack_name(domain.name), env=_environment(site))
        key = encryption_key(self, plan.stack_name(domain.name), protected=plan.stage.protected)
        let_eventbridge_use(key)
        Messaging(self, plan, domain, key)
        Tables(self, plan, domain, key)


def render(scope: Construct, plan: Plan) -> None:
    shared = {site.place: SharedStack(scope, plan, site) for site in plan.sites}
    for site in plan.sites:
        for domain in site.domains:
            stack = DomainStack(scope, plan, site, domain)
            for other in shared.values():
                stack.add_stack_dependency(other)


def _environment(site: Site) -> Environment:
    account = site.place.account
    return Environment(
        account=None if Token.is_unresolved(account) else account, region=site.place.region
    )
