"""What a run's training goes on from, kept in S3 storage too, for machines that share no folder."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from study.support.errors import StudyError
from study.support.files import atomic_path

# Credentials as Snakemake's storage plugin takes them and hands them on to jobs elsewhere. Without
# them boto3 looks where AWS's own tools do.
CREDENTIALS = {
    "aws_access_key_id": "SNAKEMAKE_STORAGE_S3_ACCESS_KEY",
    "aws_secret_access_key": "SNAKEMAKE_STORAGE_S3_SECRET_KEY",
    "aws_session_token": "SNAKEMAKE_STORAGE_S3_TOKEN",
}


class Folder:
    """A folder in storage, at `address` (s3://bucket/path); without one, nothing is done.

    Without an `endpoint`, boto3 takes AWS_ENDPOINT_URL, or AWS itself.
    """

    def __init__(self, address: str | None, endpoint: str | None = None):
        self.address, self.endpoint = address, endpoint
        self.bucket, _, self.path = (address or "").removeprefix("s3://").partition("/")

    @cached_property
    def client(self) -> Any:
        # Half a second, which only a run in storage spends.
        import boto3
        from botocore.config import Config

        # Checksums that AWS adds of its own accord are no part of what other servers understand.
        config = Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        given = {name: os.environ.get(variable) for name, variable in CREDENTIALS.items()}
        return boto3.client("s3", endpoint_url=self.endpoint, config=config, **given)

    def fetch(self, *files: Path) -> None:
        """Bring the files here that are there; what is there goes before what is here."""
        if not self.address:
            return
        for file in files:
            content = self.read(file.name)
            if content is not None:
                with atomic_path(file) as temporary:
                    temporary.write_bytes(content)

    def read(self, name: str) -> bytes | None:
        """The content of a file there, None where there is none.

        Raises StudyError where storage does not answer: without its state a run would be trained
        from the beginning.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self.client.get_object(Bucket=self.bucket, Key=f"{self.path}/{name}")
            content: bytes = found["Body"].read()
            return content
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket"):
                return None
            raise self._unreadable(error) from None
        except BotoCoreError as error:
            raise self._unreadable(error) from None

    def keep(self, *files: Path, tell: Callable[[str], None]) -> None:
        """Bring the files there, in this order; a failure is told, and training goes on."""
        if not self.address:
            return
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            for file in files:
                self.client.upload_file(str(file), self.bucket, f"{self.path}/{file.name}")
        except (Boto3Error, BotoCoreError, ClientError) as error:
            tell(f"{self.address}: could not be written, tried again at the next save: {error}")

    def _unreadable(self, error: Exception) -> StudyError:
        return StudyError(
            f"{self.address}: cannot be read: {error}; see docs/storage.md for what S3 needs"
        )
