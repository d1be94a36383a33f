"""Croissant (https://docs.mlcommons.org/croissant/docs/croissant-spec.html): what a corpus, or a release, holds, for
programs.

Fields carry the meanings of `headset columns`. Nothing of when, where or by whom is written, so equal corpora give
equal files.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from manifests.manifest import Manifest
from manifests.tables import schema
from pipeline.release.catalog.current import current_tables
from pipeline.views.dictionary import VIEW, dictionary

FILE, HUB = "croissant.json", ".huggingface.yaml"
VERSION = "http://mlcommons.org/croissant/1.0"
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "samplingRate": "cr:samplingRate",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES: dict[pa.DataType, str] = {
    pa.string(): "sc:Text",
    pa.int64(): "sc:Integer",
    pa.int32(): "sc:Integer",
    pa.float64(): "sc:Float",
    pa.bool_(): "sc:Boolean",
    pa.binary(): "sc:Text",
}
LICENCE = "sources differ: see the column licence of each"


def write_croissant(manifest: Manifest) -> str:
    """Writes the description of a corpus, and the list of files by which `datasets.load_dataset(corpus, table)` finds
    current rows.
    """
    manifest.put(FILE, _text(of_corpus(manifest)))
    configs = [
        {"config_name": table.name, "data_files": [{"split": "train", "path": list(table.files)}]}
        for table in current_tables(manifest)
        if table.files
    ]
    manifest.put(HUB, _text({"configs": configs}))  # JSON is YAML
    return FILE


def of_corpus(manifest: Manifest) -> dict[str, Any]:
    """A record set for each table that has files."""
    files, records = [], []
    meanings = {(one.table, one.name): one.meaning for one in dictionary(manifest).columns}
    told = dictionary(manifest).tables
    for table in current_tables(manifest):
        if not table.files:
            continue
        name, found = (
            f"{table.name}-files",
            {field.name: meanings.get((table.name, field.name), "") for field in schema(table.row)},
        )
        files.append(
            {
                "@type": "cr:FileSet",
                "@id": name,
                "name": name,
                "encodingFormat": "application/x-parquet",
                "includes": list(table.files),
            }
        )
        key = {"key": {"@id": f"{table.name}/{table.row.key}"}}
        fields = [
            _field(table.name, one, found[one.name], {"fileSet": {"@id": name}, "extract": {"column": one.name}})
            for one in schema(table.row)
        ]
        records.append(
            {
                "@type": "cr:RecordSet",
                "@id": table.name,
                "name": table.name,
                "description": told[table.name],
                **key,
                "field": fields,
            }
        )
    recipe = manifest.run.recipe if manifest.run else ""
    what = (
        f"A corpus of talking heads{f', made by the recipe {recipe} of headset' if recipe else ''}: current rows of"
        " each table."
    )
    return _dataset("corpus", what, files, records)


def of_release(facts: Mapping[str, Any], shards: Iterable[Any], columns: pa.Schema) -> dict[str, Any]:
    """
    Args:
        facts: of the datasheet.
        shards: `name`, `sha256`, `bytes` each.
        columns: of a clip's row.
    """
    meanings = {one.name: one.meaning for one in dictionary(None, VIEW).columns}
    form = facts["format"]
    files = _release_files(form, list(shards))
    source = {"fileSet": {"@id": "clips-files" if form == "parquet" else "json"}}

    def taken(name: str) -> dict[str, Any]:
        return {**source, "extract": {"column": name} if form == "parquet" else {"jsonPath": f"$.{name}"}}

    fields = (
        [_field("clips", one, meanings.get(one.name, ""), taken(one.name)) for one in columns] if facts["clips"] else []
    )
    if form == "parquet" and fields:
        fields.append(
            {
                "@type": "cr:Field",
                "@id": "clips/video",
                "name": "video",
                "dataType": "sc:VideoObject",
                "source": taken("video"),
                "description": "the bytes of an mp4",
            }
        )
    records = (
        [{"@type": "cr:RecordSet", "@id": "clips", "name": "clips", "description": "A row a clip.", "field": fields}]
        if fields
        else []
    )
    return _dataset(
        facts["name"],
        "Clips of talking heads, released by headset; see README.md beside this.",
        files if facts["clips"] else [],
        records,
    )


def _release_files(form: str, named: list[Any]) -> list[dict[str, Any]]:
    if form == "parquet":
        includes = [shard.name for shard in named]
        rows = {
            "@type": "cr:FileSet",
            "@id": "clips-files",
            "name": "clips-files",
            "encodingFormat": "application/x-parquet",
            "includes": includes,
        }
        files = [rows]
    elif form == "folder":
        files = [
            _members("json", "application/json", [f"{shard.name}/*.json" for shard in named]),
            _members("mp4", "video/mp4", [f"{shard.name}/*.mp4" for shard in named]),
        ]
    else:
        tars = [
            {
                "@type": "cr:FileObject",
                "@id": shard.name,
                "name": shard.name,
                "contentUrl": shard.name,
                "contentSize": f"{shard.bytes} B",
                "encodingFormat": "application/x-tar",
                "sha256": shard.sha256,
            }
            for shard in named
        ]
        inside = {"containedIn": [{"@id": tar["@id"]} for tar in tars]}
        files = [
            *tars,
            {**_members("json", "application/json", ["*.json"]), **inside},
            {**_members("mp4", "video/mp4", ["*.mp4"]), **inside},
        ]
    return files


def _members(kind: str, encoding: str, includes: list[str]) -> dict[str, Any]:
    return {"@type": "cr:FileSet", "@id": kind, "name": kind, "encodingFormat": encoding, "includes": includes}


def _field(record: str, of: pa.Field, meaning: str, source: Mapping[str, Any]) -> dict[str, Any]:
    kind = of.type.value_type if isinstance(of.type, pa.ListType) else of.type
    made = {
        "@type": "cr:Field",
        "@id": f"{record}/{of.name}",
        "name": of.name,
        "dataType": TYPES.get(kind, "sc:Text"),
        "source": dict(source),
    }
    return {
        **made,
        **({"description": meaning} if meaning else {}),
        **({"repeated": True} if isinstance(of.type, pa.ListType) else {}),
    }


def _dataset(name: str, description: str, files: list[dict[str, Any]], records: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": description,
        "conformsTo": VERSION,
        "license": LICENCE,
        "isLiveDataset": True,
        "distribution": files,
        "recordSet": records,
    }


def _text(of: Mapping[str, Any]) -> bytes:
    return (json.dumps(of, indent=1, ensure_ascii=False) + "\n").encode()


def names_of(described: Mapping[str, Any]) -> Iterator[str]:
    """The files that a description of a corpus names."""
    for files in described["distribution"]:
        yield from files.get("includes", [])
