"""Columns of whatever type as texts, or as lists of texts: numbers, bytes, lists, conversations."""

import polars as pl
from polars.datatypes import DataTypeClass

_PLAIN = (pl.String, pl.Boolean, pl.Null, pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Time)

DataType = pl.DataType | DataTypeClass


def question_of(schema: pl.Schema, name: str) -> pl.Expr:
    """The text that asks: the first user turn of a conversation, else the column's text."""
    message = _message_type(schema[name])
    if message is None:
        return text_of(schema, name)
    role, content = message
    return pl.col(name).list.eval(content.filter(role.is_in(["user", "human"]))).list.first()


def text_of(schema: pl.Schema, name: str | None) -> pl.Expr:
    """The column as one text per row; several elements of a list are joined by commas."""
    if name is None:
        return pl.lit(None, pl.String)
    element = _element_type(schema[name])
    if element is None:
        return _as_text(pl.col(name), schema[name])
    return _list(schema, name).list.eval(_as_text(pl.element(), element)).list.join(", ")


def texts_of(schema: pl.Schema, name: str | None) -> pl.Expr:
    """The column as a list of texts per row; null where a row has none. A conversation counts as its one reply."""
    if name is None:
        return pl.lit(None, pl.List(pl.String))
    dtype = schema[name]
    element = _element_type(dtype)
    message = _message_type(dtype)
    if message is not None:
        reply = _one_reply(_list(schema, name), *message)
        return pl.when(pl.col(name).is_not_null()).then(pl.concat_list(reply))
    if element is None:
        text = _as_text(pl.col(name), dtype)
        return pl.when(text.is_not_null()).then(pl.concat_list(text))
    message = _message_type(element)
    text = _as_text(pl.element(), element) if message is None else _one_reply(pl.element(), *message)
    return _list(schema, name).list.eval(text)


def _one_reply(conversation: pl.Expr, role: pl.Expr, content: pl.Expr) -> pl.Expr:
    """The assistant's text, or null where it speaks never or more than once."""
    replies = conversation.list.eval(content.filter(role.is_in(["assistant", "gpt", "model"])))
    return pl.when(replies.list.len() == 1).then(replies.list.first())


def _message_type(dtype: DataType) -> tuple[pl.Expr, pl.Expr] | None:
    """How role and content are read from an element of this type; None if it is no message list."""
    element = _element_type(dtype)
    if not isinstance(element, pl.Struct):
        return None
    types = {field.name: field.dtype for field in element.fields}
    for role, content in (("role", "content"), ("from", "value")):
        if types.get(role) == types.get(content) == pl.String:
            return pl.element().struct.field(role), pl.element().struct.field(content)
    return None


def _element_type(dtype: DataType) -> DataType | None:
    return dtype.inner if isinstance(dtype, pl.List | pl.Array) else None


def _list(schema: pl.Schema, name: str) -> pl.Expr:
    return pl.col(name).arr.to_list() if isinstance(schema[name], pl.Array) else pl.col(name)


def _as_text(value: pl.Expr, dtype: DataType) -> pl.Expr:
    if isinstance(dtype, pl.Struct):
        return value.struct.json_encode()
    if isinstance(dtype, pl.List | pl.Array):
        return pl.struct(x=value).struct.json_encode().str.strip_prefix('{"x":').str.strip_suffix("}")
    return value.cast(pl.String)


def is_readable(dtype: DataType, top: bool = True) -> bool:
    """Whether polars can write values of this type as text; for bytes, whether we can."""
    if isinstance(dtype, pl.Struct):
        return all(is_readable(field.dtype, top=False) for field in dtype.fields)
    element = _element_type(dtype)
    if element is not None:
        return is_readable(element, top=False)
    return dtype.is_numeric() or dtype.base_type() in _PLAIN or (top and dtype == pl.Binary)


def decoded(column: pl.Series) -> pl.Series:
    """Bytes as text. A loop: polars refuses the whole column for one byte that is no UTF-8."""
    texts = [None if data is None else data.decode("utf-8", "replace") for data in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)
