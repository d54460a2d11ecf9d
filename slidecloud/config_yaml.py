"""YAML that is read strictly by a model: errors name the key and the nearest known one, a template has every key."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the key, what was found and what was expected."""


class Section(BaseModel):
    """Settings that belong together; an unknown key is an error, and nothing is changed once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_DOCUMENT_END = "\n..."


class _Loader(yaml.SafeLoader):
    """Keys are words: without this, YAML 1.1 takes a key such as ``on`` for true."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:bool":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


Model = TypeVar("Model", bound=Section)


def opened(path: str | os.PathLike[str], *, what: str, command: str) -> tuple[str, Path]:
    """Text of a YAML file, and the folder that relative paths in it are taken from.

    Raises
    ------
    FileNotFoundError
        If there is no such file; says ``what`` it would be, and the ``command`` that prints one to edit.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no {what} {str(file)!r}; write one with '{command}'.")
    return file.read_bytes().decode(errors="replace"), file.absolute().parent


def parsed(text: str, model: type[Model], *, name: str, form: str = "valid YAML", example: str) -> Model:
    """A model from YAML text; ``name``, ``form`` and ``example`` (of its keys) stand in messages.

    Raises
    ------
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    try:
        content = _Loader(text).get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{name} is not {form}: {error}") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{name} holds {type(content).__name__}; expected keys and values such as {example}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{name}: {explain(error, model)}") from None


def dumped(model: Section) -> str:
    """A model as YAML without comments."""
    return yaml.safe_dump(model.model_dump(mode="json"), sort_keys=False)


def beside(folder: Path, path: str) -> str:
    """A path taken from a folder, absolute; a URL stays as it is."""
    return path if "://" in path else str((folder / Path(path).expanduser()).absolute())


def template_lines(model: type[BaseModel], values: dict[str, Any], *, indent: str = "") -> Iterator[str]:
    """Every key of a model with its description, at its default or the value given, as lines of YAML."""
    for name, info in model.model_fields.items():
        yield f"{indent}# {info.description}"
        section = info.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield f"{indent}{name}:"
            yield from template_lines(section, values.get(name, {}), indent=indent + "  ")
            continue
        value = values.get(name, info.get_default(call_default_factory=True))
        plain = list(value) if isinstance(value, tuple) else value
        text = yaml.safe_dump(plain, default_flow_style=True, sort_keys=False).removesuffix("\n")
        yield f"{indent}{name}: {text.removesuffix(_DOCUMENT_END).strip()}"


def checked(model: type[Model], where: str, content: Any) -> Model:
    """A section by itself; what is wrong with it is told with the place it stands at, in a ValueError."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{where}{explain(error, model)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong with the keys of a model, in one sentence each; an unknown key names the nearest known one."""
    return "; ".join(_explain(item, model) for item in error.errors())


def _explain(item: Any, model: type[BaseModel]) -> str:
    keys = [str(part) for part in item["loc"]]
    where = ".".join(keys)
    if item["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1], model)
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
        return f"unknown key {where!r}; {hint}"
    if item["type"] == "missing":
        return f"key {where!r} is missing; add it"
    message = str(item["msg"]).removeprefix("Value error, ")
    found = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
    return f"{where or 'configuration'}: {message}{found}"


def _known_keys(path: list[str], model: type[BaseModel]) -> list[str]:
    """Keys of the section at ``path``; numbers are places in a list of sections, other words names of sections."""
    for key in path:
        if key in model.model_fields:
            model = _section(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model that a key holds: itself, or one of several, as in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)
