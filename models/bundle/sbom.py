"""The bill of materials: every Python package, livekit-server with what is linked into it, every model. CycloneDX JSON."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from models.bundle.contents import BundledFile, BundleManifest
from models.bundle.go_modules import GoModule
from models.bundle.wheel_metadata import NO_LICENCE, WheelMetadata
from models.bundle.wheels import Wheel
from models.manifest import Model

_NAMESPACE = uuid.UUID("5a0f7f0e-7d3c-5b0c-9a51-6f2f5e2f9c11")


def sbom(manifest: BundleManifest, created_at: datetime, components: Iterable[Component]) -> bytes:
    """The document."""
    product = Component(
        name="callbox",
        version=manifest.version,
        type=ComponentType.APPLICATION,
        bom_ref="callbox",
        licenses=[_licence("Apache-2.0")],
        properties=[Property(name="callbox:commit", value=manifest.commit)],
    )
    bom = Bom(
        components=components,
        serial_number=uuid.uuid5(_NAMESPACE, f"{manifest.commit} {manifest.profile} {created_at.isoformat()}"),
        metadata=BomMetaData(component=product, timestamp=created_at),
    )
    bom.register_dependency(product, bom.components)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    return f"{text}\n".encode()


def python_package(wheel: Wheel, metadata: WheelMetadata) -> Component:
    """A wheel of the bundle."""
    name, version = wheel.package.name, wheel.package.version
    purl = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=f"{purl}#{wheel.path.name}",
        licenses=[] if metadata.licence == NO_LICENCE else [_licence(metadata.licence)],
        hashes=[_sha256(wheel.sha256)],
        properties=[Property(name="callbox:file", value=wheel.path.name)],
    )


def livekit_server(version: str, file: BundledFile, modules: Iterable[GoModule]) -> list[Component]:
    """The server, and the Go modules in it."""
    purl = PackageURL("golang", namespace="github.com/livekit", name="livekit-server", version=f"v{version}")
    server = Component(
        name="livekit-server",
        version=version,
        type=ComponentType.APPLICATION,
        purl=purl,
        bom_ref="livekit-server",
        licenses=[_licence("Apache-2.0")],
        hashes=[_sha256(file.sha256)],
    )
    linked = [
        Component(
            name=module.name,
            version=module.version,
            type=ComponentType.LIBRARY,
            purl=module.purl,
            bom_ref=str(module.purl),
        )
        for module in modules
    ]
    return [server, *linked]


def model(name: str, described: Model) -> Component:
    """A model with each of its files."""
    parts = [
        Component(
            name=file.path,
            type=ComponentType.FILE,
            bom_ref=f"model:{name}/{file.path}",
            hashes=[_sha256(file.sha256)],
            properties=[Property(name="callbox:bytes", value=str(file.size))],
        )
        for file in described.files
    ]
    return Component(
        name=name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model:{name}",
        description=described.title,
        licenses=[_licence(described.licence)],
        components=parts,
    )


def _licence(text: str) -> License:
    """As an SPDX id or expression if the text is one, else in the authors' words."""
    return LicenseFactory().make_from_string(text)


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
