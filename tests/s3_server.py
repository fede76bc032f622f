"""A real S3 server on this machine, in a thread of the test's own process."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

# Any will do; boto3 wants some.
KEYS = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "secret"}


@dataclass(frozen=True)
class Server:
    """Its address, and what it holds."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which boto3 and all that is built on it speak to this server."""
        return KEYS | {"AWS_ENDPOINT_URL": self.url}

    @cached_property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def names(self, bucket: str) -> list[str]:
        """The names of a bucket's objects; none where there is no such bucket yet."""
        with contextlib.suppress(self.client.exceptions.NoSuchBucket):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            return [found["Key"] for page in pages for found in page.get("Contents", [])]
        return []

    def read(self, bucket: str, name: str) -> bytes:
        return self.client.get_object(Bucket=bucket, Key=name)["Body"].read()


@contextlib.contextmanager
def running() -> Iterator[Server]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Server(f"http://{host}:{port}")
    finally:
        server.stop()
