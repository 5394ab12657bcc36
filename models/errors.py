"""The root of the error tree that the whole product shares, and the leaves that concern model files.

    CallboxError
    ├── ModelError
    │   ├── ManifestInvalid      models/manifest.yaml cannot be read as a manifest
    │   ├── ModelUnknown         no model of that name in the manifest
    │   ├── ModelMissing         a file of the model is not on this machine
    │   ├── ChecksumMismatch     a file's bytes are not the pinned ones
    │   ├── LockInvalid          models/lock.yaml cannot be read, or contradicts the manifest
    │   ├── DownloadFailed       a model could not be downloaded
    │   │   └── AccessRefused    its repository is closed to this account
    │   ├── DiskTooSmall         a download would not fit
    │   └── ConversionFailed     a model cannot be put into the engine's format
    ├── BundleError              (models/bundle/errors.py)
    ├── EngineError              (serving/errors.py)
    ├── AtCapacity               (serving/errors.py)
    ├── ConfigError              (agent/errors.py)
    └── RecordsUnavailable       (agent/errors.py)

Every message says what to do next.
"""


class CallboxError(Exception):
    """Anything Callbox raises on purpose; its text is fit to be shown to an operator."""


class ModelError(CallboxError):
    """A model on disk cannot be used."""


class ManifestInvalid(ModelError):
    """The manifest is unreadable or inconsistent."""


class ModelUnknown(ModelError):
    """The manifest has no model of that name."""


class ModelMissing(ModelError):
    """A file of the model is missing; the message names the command that gets it."""


class ChecksumMismatch(ModelError):
    """A file's SHA-256 or size differs from the manifest's; the message names the file."""


class LockInvalid(ModelError):
    """The lock file is unreadable, or pins a model elsewhere than the manifest has it; the message names the model."""


class DownloadFailed(ModelError):
    """A model could not be downloaded. What has arrived is kept, and the same command continues."""


class AccessRefused(DownloadFailed):
    """The model's repository is closed to this account; the message names the page to ask for access on."""


class DiskTooSmall(ModelError):
    """There is less disk space than a download needs; the message has both figures."""


class ConversionFailed(ModelError):
    """A downloaded model cannot be converted; the message says what is not supported."""
