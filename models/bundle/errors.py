"""The leaves of the error tree (models/errors.py) that concern bundles. Standard library only.

CallboxError
└── BundleError
    ├── BundleRefused    a bundle is not, byte for byte, what its owner signed
    ├── BundleNotMade    something that belongs in a bundle cannot be obtained
    └── TargetUnfit      this machine, or the folder, cannot take the installation
"""

from models.errors import CallboxError


class BundleError(CallboxError):
    """A bundle cannot be made, trusted or installed."""


class BundleRefused(BundleError):
    """Signature, manifest or files are wrong; the message names each problem."""


class BundleNotMade(BundleError):
    """A part is missing on the machine that makes the bundle; the message says how to obtain it."""


class TargetUnfit(BundleError):
    """The machine to install on lacks something; the message says what."""
