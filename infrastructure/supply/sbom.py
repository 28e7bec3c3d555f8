"""What an installation of the product holds, as a CycloneDX bill of materials: `make sbom`.

The packages of the lock that the project's dependencies lead to, none of the tools; every one with
its hashes, where it is installed, and what it asks for. Equal locks make equal bytes: no date, no
serial number, nothing of the machine.
"""

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from infrastructure.supply.lock import LOCK, PROJECT, Locked, direct_names, read_lock, runtime_part

OUTPUT = Path("dist/morrow.cdx.json")
INDEX = "https://pypi.org/simple"


class SbomFault(Exception):
    """The bill of materials breaks the schema of its format."""


def sbom(lock: str, project: str) -> str:
    """The bill of materials as JSON; `SbomFault` where it breaks CycloneDX 1.6."""
    packages = runtime_part(read_lock(lock), project)
    bom = Bom()
    bom.serial_number = None  # type: ignore[assignment]  # it would be another each time
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.metadata.component = _product(project)
    made = {each: _component(each) for each in packages}
    bom.components.update(made.values())
    asked_for = direct_names(project)
    direct = [part for each, part in made.items() if each.name in asked_for]
    bom.register_dependency(bom.metadata.component, direct)
    for each, part in made.items():
        wanted = [other for needed, other in made.items() if each.name in needed.asked_by]
        bom.register_dependency(part, wanted)
    return checked(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")


def _product(project: str) -> Component:
    told = tomllib.loads(project)["project"]
    name, version = told["name"], told["version"]
    return Component(
        name=name,
        version=version,
        description=told["description"],
        type=ComponentType.APPLICATION,
        bom_ref=f"{name}@{version}",
    )


def _component(package: Locked) -> Component:
    where = [] if package.marker is None else [Property(name="marker", value=package.marker)]
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{package.name}@{package.version}",
        purl=PackageURL("pypi", name=package.name, version=package.version),
        properties=where,
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(f"{INDEX}/{package.name}/"),
                comment="each file of this version that may be installed, by its hash",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=h) for h in package.hashes],
            )
        ],
    )


def checked(text: str) -> str:
    """`text`, if it is CycloneDX 1.6 to the letter."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise SbomFault(str(fault))
    return text


def main(arguments: Sequence[str]) -> int:
    output = Path(*arguments) if arguments else OUTPUT
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(sbom(LOCK.read_text(), PROJECT.read_text()))
    print(output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
