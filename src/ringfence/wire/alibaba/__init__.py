"""Alibaba Cloud ECS 2014-05-26 and the network ACLs of its Vpc product."""
