"""The clouds' real SDKs, aimed at a server on loopback. Nothing else speaks for a client in these tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_vpc20160428.client import Client as AlibabaVpc
from aliyunsdkcore.client import AcsClient
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkvpc.v2 import VpcClient as HuaweiV2
from huaweicloudsdkvpc.v3 import VpcClient as HuaweiV3

from ringfence.security.keys import AccessKey

REGION = "cn-hangzhou"


@dataclass(frozen=True)
class Sdks:
    """Clients of one access key. ``url`` is the server's origin; ``account`` the key's, which is Huawei's project."""

    url: str
    key: AccessKey
    account: str

    @property
    def _address(self) -> str:
        return self.url.removeprefix("http://")

    def old(self) -> Any:
        """aliyun-python-sdk-core, for the requests of aliyun-python-sdk-ecs."""
        client = AcsClient(self.key.id, self.key.secret.reveal(), REGION)
        client.add_endpoint(REGION, "Ecs", self._address)
        return client

    def ecs(self, **config: Any) -> Any:
        """alibabacloud_ecs20140526; ``signature_algorithm="v2"`` signs as the old one does."""
        return Ecs(self._config(**config))

    def alibaba_vpc(self) -> Any:
        """alibabacloud_vpc20160428: network ACLs."""
        return AlibabaVpc(self._config())

    def huawei(self) -> Any:
        """huaweicloudsdkvpc, version 3."""
        return self._huawei(HuaweiV3)

    def huawei_v2(self) -> Any:
        """huaweicloudsdkvpc, versions 1 and 2.0."""
        return self._huawei(HuaweiV2)

    def huawei_of_region(self) -> Any:
        """The same as `huawei`, told a region and no project."""
        credentials = BasicCredentials(self.key.id, self.key.secret.reveal()).with_iam_endpoint(self.url)
        return HuaweiV3.new_builder().with_credentials(credentials).with_region(Region(REGION, self.url)).build()

    def _config(self, **more: Any) -> Config:
        return Config(
            access_key_id=self.key.id,
            access_key_secret=self.key.secret.reveal(),
            endpoint=self._address,
            protocol="http",
            region_id=REGION,
            **more,
        )

    def _huawei(self, kind: Any) -> Any:
        credentials = BasicCredentials(self.key.id, self.key.secret.reveal(), self.account)
        return kind.new_builder().with_credentials(credentials).with_endpoint(self.url).build()
