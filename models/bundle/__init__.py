"""The air-gapped bundle: a complete installation in one folder or tar, with one signed manifest.

Made on a connected machine (create.py and what it imports use third-party libraries), verified and installed on a bare one:
contents.py, signature.py, archive.py, verify.py, target.py, install.py, packages.py, installed.py and progress.py use
only the standard library, because nothing else is installed yet.
"""
