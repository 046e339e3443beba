"""One port for all APIs: who is asked for what, and what is served is told."""

from __future__ import annotations

import httpx2
import pytest
from alibabacloud_ecs20140526 import models as ecs
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkecs.request.v20140526.DescribeDisksRequest import DescribeDisksRequest
from aliyunsdkecs.request.v20140526.DescribeRegionsRequest import DescribeRegionsRequest
from aliyunsdkecs.request.v20140526.DescribeZonesRequest import DescribeZonesRequest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkvpc.v2 import ListApiVersionRequest
from huaweicloudsdkvpc.v3 import ListTrafficMirrorFiltersRequest

from tests.wire.cloud import Cloud
from tests.wire.proving import proves
from tests.wire.raw import Raw
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets


@proves("alibaba DescribeRegions", "alibaba DescribeZones")
def test_both_sdks_of_alibaba_are_told_the_region(shared: Cloud) -> None:
    sdks = shared.tenant()
    for signature in ("v2", "ACS3-HMAC-SHA256"):
        client = sdks.ecs(signature_algorithm=signature)
        (region,) = client.describe_regions(ecs.DescribeRegionsRequest()).body.regions.region
        assert (region.region_id, region.status) == ("local", "available")
        (zone,) = client.describe_zones(ecs.DescribeZonesRequest(region_id=REGION)).body.zones.zone
        assert zone.zone_id == f"{REGION}-a"
    for request in (DescribeRegionsRequest(), DescribeZonesRequest()):
        for method in ("GET", "POST"):
            request.set_method(method)
            assert REGION.encode() in sdks.old().do_action_with_exception(request)


@proves("huawei v3 keystone_list_projects", "huawei list_api_version")
def test_huaweis_sdk_finds_project_and_versions(shared: Cloud) -> None:
    sdks = shared.tenant()
    told = sdks.huawei_v2().list_api_version(ListApiVersionRequest())
    assert [it.id for it in told.versions] == ["v1", "v2.0", "v3"]
    regional = sdks.huawei_of_region()  # the SDK looks the project up
    with pytest.raises(ClientRequestException) as nothing:
        regional.list_traffic_mirror_filters(ListTrafficMirrorFiltersRequest())
    assert nothing.value.error_code == "APIGW.0101"
    assert regional._credentials.project_id == sdks.account


def test_what_is_not_served_has_the_vendors_code(shared: Cloud) -> None:
    sdks = shared.tenant()
    with pytest.raises(ServerException) as old:
        sdks.old().do_action_with_exception(DescribeDisksRequest())
    assert (old.value.get_http_status(), old.value.get_error_code()) == (404, "InvalidAction.NotFound")
    with pytest.raises(ClientRequestException) as huawei:
        sdks.huawei().list_traffic_mirror_filters(ListTrafficMirrorFiltersRequest())
    assert (huawei.value.status_code, huawei.value.error_code) == (404, "APIGW.0101")


def test_the_root_tells_what_is_served(shared: Cloud) -> None:
    told = httpx2.get(shared.url).json()
    assert "DescribeRegions 2014-05-26" in told["alibaba"]["operations"]
    assert told["versions"][-1]["id"] == "v3"


def test_headers_that_no_signature_covers_say_nothing(shared: Cloud) -> None:
    """Such as those by which an operator acts on another account through the native API."""
    tenant = shared.tenant()
    tenant.ecs().create_vpc(ecs.CreateVpcRequest(region_id=REGION))
    assert shared.runtime.root_key
    operator, more = Raw(shared.runtime.root_key), {"x-ringfence-account": tenant.account}
    request = operator.rpc("DescribeVpcs", "2014-05-26", {"RegionId": REGION}).signed
    assert httpx2.post(f"{shared.url}/?{request.query}", headers=more).json()["TotalCount"] == 0
    request = operator.rest("GET", f"/v1/{tenant.account}/vpcs", "", b"").signed
    answer = httpx2.get(f"{shared.url}{request.path}", headers=dict(request.headers) | more)
    assert answer.json()["code"] == "VPC.0007"
