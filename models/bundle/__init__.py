"""The air-gapped bundle: all that an installation consists of, in one folder or tar, with one signed manifest.

Made on a connected machine (create.py and what it uses: third-party libraries), checked and installed on a bare one:
contents.py, signature.py, archive.py, verify.py, target.py, install.py, packages.py, installed.py and progress.py import the
standard library only, because nothing else is there yet.
"""
