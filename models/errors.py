"""The root of the error tree that the whole product shares, and the leaves that concern model files.

    CallboxError
    ├── ModelError
    │   ├── ManifestInvalid      models/manifest.yaml cannot be read as a manifest
    │   ├── ModelUnknown         no model of that name in the manifest
    │   ├── ModelMissing         a file of the model is not on this machine
    │   └── ChecksumMismatch     a file's bytes are not the pinned ones
    ├── EngineError              (serving/errors.py)
    ├── AtCapacity               (serving/errors.py)
    └── ConfigError              (agent/errors.py)

Every message says what to do next.
"""


class CallboxError(Exception):
    """Anything Callbox raises on purpose; its text is fit to be shown to an operator."""


class ModelError(CallboxError):
    """A model cannot be used as it lies on disk."""


class ManifestInvalid(ModelError):
    """The manifest itself is unreadable or inconsistent."""


class ModelUnknown(ModelError):
    """The manifest has no model of that name."""


class ModelMissing(ModelError):
    """A file of the model is absent; the message names the command that gets it."""


class ChecksumMismatch(ModelError):
    """A file's SHA-256 or size differs from the manifest; the message names the file."""
