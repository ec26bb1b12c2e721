"""Availability zones that an API Gateway VPC link can be in, by their ids.

Ids, since an account has names (eu-west-3a) of its own for them. The zones of each region are those
that https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vpc-links.html lists;
read in a stored copy of the page, on 1 December 2026.
"""

VPC_LINK_ZONES: dict[str, frozenset[str]] = {
    region: frozenset(f"{prefix}-az{number}" for number in numbers)
    for region, prefix, numbers in (
        ("us-east-1", "use1", "12456"),
        ("us-east-2", "use2", "123"),
        ("us-west-1", "usw1", "13"),
        ("us-west-2", "usw2", "1234"),
        ("ap-east-1", "ape1", "23"),
        ("ap-south-1", "aps1", "123"),
        ("ap-northeast-1", "apne1", "124"),
        ("ap-northeast-2", "apne2", "123"),
        ("ap-southeast-1", "apse1", "123"),
        ("ap-southeast-2", "apse2", "123"),
        ("ca-central-1", "cac1", "12"),
        ("eu-central-1", "euc1", "123"),
        ("eu-north-1", "eun1", "123"),
        ("eu-south-2", "eus2", "123"),
        ("eu-west-1", "euw1", "123"),
        ("eu-west-2", "euw2", "123"),
        ("eu-west-3", "euw3", "13"),
        ("me-south-1", "mes1", "123"),
        ("sa-east-1", "sae1", "123"),
        ("us-gov-west-1", "usgw1", "123"),
    )
}
"""By region. For a region that is not here the page promises nothing."""

HAVE_OTHER_ZONES = frozenset(
    {
        "us-east-1",
        "us-west-1",
        "ap-east-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ca-central-1",
        "eu-west-3",
    }
)
"""Regions with a zone more, in which the VPC link would fail: use1-az3, euw3-az2 and the like."""


def fault_of_zones(region: str, zones: tuple[str, ...] | None) -> str | None:
    """Say why a stage's zones cannot carry a VPC link, and what to set; None where they can.

    Without `zones` the stage takes the region's first ones, in the account's own order. Named zones
    of a region that the page does not list are taken as they are.
    """
    able = VPC_LINK_ZONES.get(region)
    some = ", ".join(sorted(able or ()))
    if zones is None:
        if able is None:
            return f"AWS lists no zone of {region} with an API Gateway VPC link: name two with one"
        if region in HAVE_OTHER_ZONES:
            return f"not every zone of {region} has an API Gateway VPC link: name two of {some}"
        return None
    if wrong := [zone for zone in zones if able is not None and zone not in able]:
        return f"{', '.join(wrong)}: no API Gateway VPC link can be there; name two of {some}"
    return None
