"""Turns errors between this machine and a model hub into ours, each a sentence that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import AccessRefused, ChecksumMismatch, DiskTooSmall, DownloadFailed, ModelError

CONTINUES = "what has arrived is kept, and the same command continues"
TOKENS = "https://huggingface.co/settings/tokens"


@contextmanager
def translate_errors(endpoint: str, repository: str, what: str, *, has_token: bool, gated: bool) -> Iterator[None]:
    """Translate errors of huggingface_hub and the network into DownloadFailed, AccessRefused, DiskTooSmall or, for a file of
    another length, ChecksumMismatch."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    subject = f"{what} of {repository}"
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise AccessRefused(_refusal(endpoint, repository, status, has_token=has_token, gated=gated)) from None
        if status == 416:
            raise ChecksumMismatch(_other_length(endpoint, subject)) from None
        raise DownloadFailed(_answer(endpoint, subject, status)) from None
    except OfflineModeIsEnabled:
        raise DownloadFailed(
            "HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it and run the command again."
        ) from None
    except httpx2.ConnectError as error:
        raise DownloadFailed(
            f"{endpoint} cannot be reached ({error}): check the network and HTTPS_PROXY, or use a mirror with --mirror;"
            " on a machine without internet, install a bundle made elsewhere (scripts/bundle.py)."
        ) from None
    except httpx2.TimeoutException:
        raise DownloadFailed(
            f"{endpoint} stopped sending {subject}: {CONTINUES}. On a slow line set"
            " HF_HUB_DOWNLOAD_TIMEOUT=60 (seconds)."
        ) from None
    except httpx2.TransportError as error:
        raise DownloadFailed(f"The connection to {endpoint} broke during {subject} ({error}): {CONTINUES}.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise DownloadFailed(
            f"{endpoint} does not answer like a model hub ({type(error).__name__}) when asked for {subject}: check the"
            " address given with --mirror or HF_ENDPOINT."
        ) from None
    except OSError as error:
        raise _local(error, endpoint, subject) from None


def _refusal(endpoint: str, repository: str, status: int, *, has_token: bool, gated: bool) -> str:
    page = f"https://huggingface.co/{repository}"
    if not gated:
        return (
            f"{endpoint} refuses {repository} ({status}) although it should be public: it may have been moved or"
            f" closed, see {page}; or the mirror does not have it."
        )
    if not has_token:
        return (
            f"{repository} is gated ({status}): open {page}, accept the licence with your account, make a token of"
            f" type Read at {TOKENS}, put HF_TOKEN=hf_... into .env, and run the command again."
        )
    if status == 401:
        return f"{endpoint} does not accept HF_TOKEN (401): make a new one of type Read at {TOKENS} and run the command again."
    return (
        f"The account of HF_TOKEN may not read {repository} ({status}): open {page}, accept the licence with that account,"
        " wait until the page says that access is granted, and run the command again."
    )


def _answer(endpoint: str, subject: str, status: int) -> str:
    if status == 404:
        return (
            f"{endpoint} does not have {subject} (404): it was moved or removed, or the mirror lacks it; use another mirror with"
            " --mirror, or move the pin with --update."
        )
    if status == 429:
        return f"{endpoint} limits the rate (429): wait some minutes and run the command again; {CONTINUES}."
    return f"{endpoint} answered {status} when asked for {subject}: try again later; {CONTINUES}."


def _local(error: OSError, endpoint: str, subject: str) -> ModelError:
    if error.errno == errno.ENOSPC:
        return DiskTooSmall(f"The disk became full during {subject}: free some space; {CONTINUES}.")
    if error.errno is not None:
        return DownloadFailed(
            f"{subject} cannot be written: {error}. Make the folder writable and run the command again."
        )
    return ChecksumMismatch(_other_length(endpoint, subject))


def _other_length(endpoint: str, subject: str) -> str:
    return (
        f"{endpoint} sent {subject} with the wrong length; it was not kept. Run the command again; if it"
        " happens again, use another address with --mirror."
    )
