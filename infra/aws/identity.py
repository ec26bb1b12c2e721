"""Cognito as the issuer of tokens, for a stage that names none."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, CfnOutput
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.aws.keys import removal_policy
from infra.aws.plan import SYSTEM, Plan
from infra.stages import Issuer

CUSTOMER = ("subscriptions:write", "subscriptions:read")
"""One's own subscriptions, for a person who has signed in."""

CONSOLE = ("subscriptions:read:all", "stock:read", "payments:read")
STAFF = (
    *CONSOLE,
    *("payments:cancel", "subscriptions:cancel:all", "subscriptions:erase", "stock:write"),
)
"""For programs with a secret. Cognito grants an app client's scopes to each user who signs in with
it, and customers are users of the same pool: no person gets these scopes here."""

CALLBACK = "http://localhost:8080"
"""Where a customer is sent back to with a code: the only address without TLS that Cognito takes."""

PASSWORD_CHARACTERS = 12


def user_pool(scope: Construct, plan: Plan) -> Issuer:
    """Make a user pool, with the APIs' scopes and an app client for each kind of caller."""
    protected = plan.stage.protected
    pool = cognito.UserPool(
        scope,
        "UserPool",
        user_pool_name=plan.stack_name("users"),
        sign_in_aliases=cognito.SignInAliases(email=True),
        password_policy=cognito.PasswordPolicy(
            min_length=PASSWORD_CHARACTERS,
            require_digits=True,
            require_lowercase=True,
            require_symbols=True,
            require_uppercase=True,
        ),
        mfa=cognito.Mfa.REQUIRED,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        feature_plan=cognito.FeaturePlan.PLUS,
        standard_threat_protection_mode=cognito.StandardThreatProtectionMode.FULL_FUNCTION,
        deletion_protection=protected,
        removal_policy=removal_policy(protected=protected),
    )
    domain = pool.add_domain(
        "Domain",
        cognito_domain=cognito.CognitoDomainOptions(
            domain_prefix=f"{SYSTEM}-{plan.stage.name}-{Aws.ACCOUNT_ID}"
        ),
    )
    CfnOutput(scope, "UserPoolId", value=pool.user_pool_id)
    CfnOutput(scope, "TokenUrl", value=f"{domain.base_url()}/oauth2/token")
    clients = _clients(pool)
    for name, client in clients.items():
        CfnOutput(scope, f"{name}ClientId", value=client.user_pool_client_id)
    return Issuer.model_validate(
        {
            "url": f"https://cognito-idp.{Aws.REGION}.amazonaws.com/{pool.user_pool_id}",
            "audiences": [client.user_pool_client_id for client in clients.values()],
            "scopePrefix": f"{SYSTEM}/",
        }
    )


def _clients(pool: cognito.UserPool) -> Mapping[str, cognito.UserPoolClient]:
    scopes = {
        name: cognito.ResourceServerScope(scope_name=name, scope_description=name)
        for name in dict.fromkeys((*CUSTOMER, *STAFF))
    }
    server = pool.add_resource_server(
        "Apis", identifier=SYSTEM, scopes=[*scopes.values()], user_pool_resource_server_name=SYSTEM
    )

    def client(name: str, granted: Sequence[str], *, signs_in: bool) -> cognito.UserPoolClient:
        return pool.add_client(
            name,
            user_pool_client_name=name.lower(),
            generate_secret=not signs_in,
            prevent_user_existence_errors=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(
                    authorization_code_grant=signs_in, client_credentials=not signs_in
                ),
                scopes=[cognito.OAuthScope.resource_server(server, scopes[one]) for one in granted],
                callback_urls=[CALLBACK] if signs_in else None,
            ),
        )

    return {
        "Customer": client("Customer", CUSTOMER, signs_in=True),
        "Staff": client("Staff", STAFF, signs_in=False),
        "Console": client("Console", CONSOLE, signs_in=False),
    }
