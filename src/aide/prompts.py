"""Prompts as files: load, check, render. The contract is docs/design/prompts.md."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aide.config import resources
from aide.config.fingerprint import KNOWLEDGE_PROMPT
from aide.errors import InputError
from aide.records import Correction, Message, Parts
from aide.text.suggestions import suggest_name
from aide.text.tags import defuse_tags

_EXAMPLES_END: Final = "</examples>"  # values hold none: closing tags in them are made harmless
_SYSTEM, _USER = "@system", "@user"
_HEADINGS = re.compile(
    r"\A\s*^# system[ \t]*$(?P<system>.*?)^# user[ \t]*$(?P<user>.*)\Z", re.MULTILINE | re.DOTALL
)
_EXTENDS = re.compile(r"""({%-?\s*extends\s+["'][^"']+)(["'])""")


class _Trusted(str):
    """Text of our own that names tags on purpose."""


def _defuse(value: object) -> object:
    """What a model or a person said is data: a closing tag of ours in it must not end its place in the prompt."""
    return defuse_tags(value) if isinstance(value, str) and not isinstance(value, _Trusted) else value


class _Loader(jinja2.BaseLoader):
    """Finds templates by name; `NAME@system` and `NAME@user` are the two halves of a prompt.

    Halves are cut in the source, so no value can pretend to be a heading. A template that extends another has no
    headings of its own: its half extends the same half of the other.
    """

    def __init__(self, override: Path | None) -> None:
        self.override = override

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, None]:
        """Source, file name, and no check for changes: a run renders one version of each file."""
        name, at, half = template.partition("@")
        source = resources.read_file("prompts", name, self.override)
        path = str(resources.find_file("prompts", name, self.override))
        if not half:
            return source, path, None
        if found := _HEADINGS.match(source):
            # Blank lines stand for what was cut off, so that errors name the line of the file.
            return "\n" * source[: found.start(half)].count("\n") + found[half], path, None
        if not _EXTENDS.search(source):
            raise InputError(
                f"prompt {name} lacks its headings", hint="it needs the lines '# system' and '# user'"
            )
        return _EXTENDS.sub(rf"\g<1>{at}{half}\g<2>", source), path, None


class _Sandbox(ImmutableSandboxedEnvironment):
    """jinja2's sandbox, which decides once for each type and attribute whether a template may read it.

    The decision depends on nothing else, and a run asks for the same few attributes millions of times.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._decisions: dict[tuple[type, str], bool] = {}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """See `jinja2.sandbox.SandboxedEnvironment`."""
        if isinstance(obj, type):  # of a class it is the class itself that decides
            return super().is_safe_attribute(obj, attr, value)
        key = (type(obj), attr)
        safe = self._decisions.get(key)
        if safe is None:
            safe = self._decisions[key] = super().is_safe_attribute(obj, attr, value)
        return safe


class Prompts:
    """All templates of one run, with the person's own files before the packaged ones.

    Args:
        override: the person's folder of prompts.
        find_passages: the passages of a reference work that bear on some texts; they stand in `knowledge.md` beside
            the examples of those prompts that answer or judge. Without it prompts are as if there were no such file.
        constants: values that every template may use, such as `card`.
    """

    def __init__(
        self,
        override: Path | None = None,
        *,
        find_passages: Callable[[Sequence[str]], Sequence[str]] | None = None,
        **constants: Any,
    ) -> None:
        self.override = override
        self.constants = constants
        self._find_passages = find_passages
        # A sandbox, because people share prompts: a template must not be able to run Python.
        self._environment = _Sandbox(
            loader=_Loader(override),
            undefined=jinja2.StrictUndefined,  # a misspelt name must not leave an empty place in every prompt
            finalize=_defuse,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            auto_reload=False,  # a file edited meanwhile would change the prompts of half a run
            cache_size=-1,
        )
        self._names = frozenset(resources.list_names("prompts", override))
        self._systems: dict[tuple[str, tuple[str, ...], int], str] = {}

    def find_template(self, *templates: str) -> str:
        """The first of these templates that exists.

        Raises:
            InputError: where none does; the hint names the file to write.
        """
        for template in templates:
            if f"{template}.md" in self._names:
                return template
        raise InputError(
            f"there is no prompt {templates[-1]}.md{suggest_name(f'{templates[-1]}.md', self._names)}",
            hint="put it into the folder given by --prompts",
        )

    def render(
        self, template: str, parts: Parts, correction: Correction | None = None, **context: Any
    ) -> list[Message]:
        """The messages of one call: fixed parts and system, user, and what was wrong with the last answer.

        Raises:
            InputError: where the template is missing, broken or asks for a value it is not given.
        """
        names = tuple(name for name, _ in parts.fixed)
        values = {**self.constants, "parts": names, **context}
        messages = [
            Message("system", _fixed(parts) + self._system(template, names, values)),
            Message(
                "user",
                self._add_knowledge(
                    template, _tidy(self._rendered(f"{template}.md{_USER}", values)), context
                ),
            ),
        ]
        if correction is not None:
            problem = self._rendered("correct.md", {**values, "problem": _Trusted(correction.problem)})
            messages += [
                Message("assistant", correction.said or "(nothing)"),  # some servers refuse an empty message
                Message("user", _tidy(problem)),
            ]
        return messages

    def _add_knowledge(self, template: str, text: str, context: Mapping[str, Any]) -> str:
        """The user's half with the passages that bear on it, below the examples, which a prefix cache serves."""
        queries = _list_queries(template, context) if self._find_passages else ()
        passages = self._find_passages(queries) if self._find_passages and queries else ()
        if not passages:
            return text
        shown = _tidy(self._rendered(KNOWLEDGE_PROMPT, {**self.constants, "parts": [], "passages": passages}))
        head, end, rest = text.partition(_EXAMPLES_END) if text.startswith("<examples>") else ("", "", text)
        return "\n\n".join(filter(None, (head + end, shown, rest.strip())))

    def render_instruction(self, template: str, **context: Any) -> str:
        """The block `change` of a `synthesize` template alone: what an operation asks for."""
        return self._block(template, "change", context)

    def render_form(self, template: str, **context: Any) -> str:
        """The block `form` of an `answer` template alone: how an answer is to be written."""
        return _Trusted(self._block(template, "form", context))

    def _block(self, template: str, block: str, context: Mapping[str, Any]) -> str:
        values = {**self.constants, "parts": [], **context}
        try:
            loaded = self._environment.get_template(f"{template}.md")
            return "".join(loaded.blocks[block](loaded.new_context(values))).strip()
        except jinja2.TemplateError as broken:
            raise _broken(f"{template}.md", broken) from broken

    def _system(self, template: str, names: tuple[str, ...], values: Mapping[str, Any]) -> str:
        """The system half, rendered once for each set of fixed parts where it reads nothing but constants.

        Most do: the same words at the front of all calls of a step are what a prefix cache serves.
        """
        key = (template, names, id(self.constants.get("card")))  # the card comes after the first prompts
        name = f"{template}.md{_SYSTEM}"
        if key not in self._systems:
            try:
                text = self._environment.get_template(name).render({**self.constants, "parts": names})
            except jinja2.TemplateError:
                text = ""
            self._systems[key] = _tidy(text)
        return self._systems[key] or _tidy(self._rendered(name, values))

    def _rendered(self, name: str, values: Mapping[str, Any]) -> str:
        try:
            template = self._environment.get_template(name)
            context = template.new_context({**self._environment.globals, **values}, shared=True)
            return "".join(template.root_render_func(context))
        except jinja2.TemplateError as broken:
            raise _broken(name, broken) from broken


def _list_queries(template: str, context: Mapping[str, Any]) -> list[str]:
    """What a prompt asks about, where passages are of use to it: a question, texts to be read, answers to be judged."""
    kind = PurePosixPath(template).parent.name  # of a recipe's own prompts, too
    if kind == "answer":
        return [context["question"]]
    if kind == "reflect" and "texts" in context:
        return [text["shown"] for text in context["texts"]]
    if kind == "reflect" and context.get("answers"):
        return [pair["text"] for pair in context["pairs"]]
    return []


def _tidy(text: str) -> str:
    """Without the blank lines that optional pieces leave behind."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


def _broken(name: str, fault: jinja2.TemplateError) -> InputError:
    where = (
        f"{fault.filename or name}:{fault.lineno}" if isinstance(fault, jinja2.TemplateSyntaxError) else name
    )
    hint = "docs/design/prompts.md lists what a prompt may use"
    return InputError(f"prompt {where}: {fault.message}", hint=hint)


@lru_cache(maxsize=256)
def _fixed(parts: Parts) -> str:
    """Fixed parts, byte-equal and before all else, so that a prefix cache serves them to every step."""
    return "".join(f'<part name="{name}">\n{text}\n</part>\n\n' for name, text in parts.fixed)


def list_variants(operation: str, formats: Sequence[str], *, parts: bool) -> Sequence[str]:
    """Template names of an operation, the most special first; `formats` are the `prompt_names` of a format."""
    base = f"synthesize/{operation}"
    return [
        *([*(f"{base}.{name}.parts" for name in formats), f"{base}.parts"] if parts else []),
        *(f"{base}.{name}" for name in formats),
        base,
    ]
