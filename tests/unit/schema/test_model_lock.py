"""The second day of a model: what the lock file keeps, allows, and refuses."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import ConfigError, SchemaModelError
from protopact.schema import LockChanges, lock_models, model_decoder, model_encoder, models_in, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = """
from enum import Enum, IntEnum
from typing import Annotated
from pydantic import BaseModel
from protopact.schema import Int32, proto, proto_message
"""
FIRST = """
class Status(Enum):
    OPEN = "open"
    SHUT = "shut"

class Line(BaseModel):
    sku: str

@proto_message(package="shop.v1")
class Order(BaseModel):
    id: int
    mail: str = ""
    status: Status = Status.OPEN
    lines: list[Line] = []
"""
LOCKED = """\
[message."shop.v1.Line"]
1 = { name = "sku", type = "string" }

[message."shop.v1.Order"]
1 = { name = "id", type = "int64" }
2 = { name = "mail", type = "string" }
3 = { name = "status", type = "shop.v1.Status" }
4 = { name = "lines", type = "repeated shop.v1.Line" }

[enum."shop.v1.Status"]
0 = { name = "STATUS_UNSPECIFIED" }
1 = { name = "STATUS_OPEN" }
2 = { name = "STATUS_SHUT" }
"""


class House:
    """A folder with a module of models, which can be written anew and imported again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = folder / "protopact.lock"
        self.names: list[str] = []

    def module(self, text: str, name: str = "shop_models") -> types.ModuleType:
        path = self.folder / f"{name}.py"
        path.write_text(HEAD + text)
        module = types.ModuleType(name)
        module.__file__ = str(path)
        sys.modules[name] = module
        self.names.append(name)
        exec(compile(HEAD + text, str(path), "exec", dont_inherit=True), module.__dict__)
        return module

    def locked(self, text: str) -> Any:
        """The module after `protopact models lock`."""
        module = self.module(text)
        lock_models(models_in(module))
        return module

    def changes(self, text: str, **options: Any) -> list[str]:
        (found,) = lock_models(models_in(self.module(text)), **options)
        return [str(change) for change in found.changes]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    for name in house.names:
        sys.modules.pop(name, None)


def refusals(call: Any) -> dict[str, str]:
    with pytest.raises(SchemaModelError) as caught:
        call()
    assert all(issue.hint for issue in caught.value.issues)
    return {issue.path: issue.reason for issue in caught.value.issues}


def numbers(model: type) -> dict[str, int]:
    return {field.name: field.number for field in schema_of(model).message_class.DESCRIPTOR.fields}


def reserved(model: type) -> tuple[list[int], list[str]]:
    proto = schema_of(model).file_set.root_file.message_type[0]
    return [span.start for span in proto.reserved_range], list(proto.reserved_name)


def test_the_lock_file_is_sorted_and_readable_and_the_same_each_time(house: House) -> None:
    house.locked(FIRST)
    text = house.lock.read_text()
    assert text.partition("format = 1\n\n")[2] == LOCKED
    house.locked(FIRST)
    assert house.lock.read_text() == text
    assert list(house.folder.glob(".*")) == []


def test_deriving_importing_and_writing_records_never_write_a_file(house: House) -> None:
    order = house.module(FIRST).Order
    schema = schema_of(order)
    model_decoder(order, schema.message_class)(model_encoder(order, schema.message_class)(order(id=1)))
    assert not house.lock.exists()


def test_a_model_that_changed_while_the_lock_did_not_is_refused_with_the_command(house: House) -> None:
    house.locked(FIRST)
    changed = house.module(FIRST.replace('mail: str = ""', "note: str"))
    with pytest.raises(SchemaModelError) as caught:
        schema_of(changed.Order)
    assert {issue.path for issue in caught.value.issues} == {"Order.mail", "Order.note"}
    assert caught.value.hint == "run `protopact models lock shop_models:Order` and commit the file"


def test_order_in_the_class_does_not_matter_once_locked(house: House) -> None:
    before = numbers(house.locked(FIRST).Order)
    swapped = house.module(FIRST.replace("    id: int\n", "").replace("] = []", "] = []\n    id: int"))
    assert numbers(swapped.Order) == before


def test_a_removed_field_keeps_its_number_and_name_and_a_new_one_gets_the_next(house: House) -> None:
    house.locked(FIRST)
    second = FIRST.replace('mail: str = ""', "note: str | None = None")
    assert house.changes(second) == [
        "Order.mail: removed: its number 2 and its name are kept from reuse", "Order.note: new, number 5",
    ]  # fmt: skip
    order = house.module(second).Order
    assert numbers(order) == {"id": 1, "status": 3, "lines": 4, "note": 5}
    assert reserved(order) == ([2], ["mail"])
    third = second.replace("    lines: list[Line] = []\n", "")
    house.locked(third)
    assert reserved(house.module(third).Order) == ([2, 4], ["mail", "lines"])


def test_a_removed_name_cannot_come_back_by_accident(house: House) -> None:
    house.locked(FIRST)
    house.locked(FIRST.replace('    mail: str = ""\n', ""))
    back = house.module(FIRST.replace('mail: str = ""', "mail: int = 0"))
    assert refusals(lambda: lock_models([back.Order])) == {"Order.mail": "the name was removed with the number 2"}
    assert set(refusals(lambda: schema_of(back.Order))) == {"Order.mail"}


def test_a_removed_number_cannot_be_said_again(house: House) -> None:
    house.locked(FIRST)
    house.locked(FIRST.replace('    mail: str = ""\n', ""))
    reused = house.module(FIRST.replace('mail: str = ""', "note: Annotated[str, proto(number=2)]"))
    assert refusals(lambda: lock_models([reused.Order])) == {"Order.note": "the number 2 is mail's, which was removed"}


def test_a_rename_is_declared_and_keeps_the_number(house: House) -> None:
    old = house.locked(FIRST).Order
    old_class, payload = schema_of(old).message_class, schema_of(old).serialize(old(id=1, mail="x@y"))
    renamed = FIRST.replace("mail: str", 'email: Annotated[str, proto(renamed_from="mail")]')
    assert house.changes(renamed) == ["Order.email: renamed from mail, number 2"]
    new = house.module(renamed).Order
    assert schema_of(new).deserialize(payload)["email"] == "x@y"
    assert model_decoder(new, old_class)(old_class.FromString(payload)).email == "x@y"
    undeclared = house.module(renamed.replace('Annotated[str, proto(renamed_from="mail")]', "str"))
    assert numbers(undeclared.Order)["email"] == 2


def test_a_changed_type_is_refused_until_the_lock_file_itself_says_it(house: House) -> None:
    house.locked(FIRST)
    wider = FIRST.replace("id: int", "id: Int32")
    assert refusals(lambda: house.changes(wider)) == {"Order.id": "its type was int64 and is int32"}
    house.lock.write_text(house.lock.read_text().replace("int64", "int32"))
    assert house.changes(wider) == []


def test_becoming_optional_is_no_change_of_type(house: House) -> None:
    house.locked(FIRST)
    assert house.changes(FIRST.replace("id: int", "id: int | None = None")) == []


def test_another_number_than_the_locked_one_is_refused(house: House) -> None:
    house.locked(FIRST)
    moved = FIRST.replace("id: int", "id: Annotated[int, proto(number=9)]")
    assert refusals(lambda: house.changes(moved)) == {"Order.id": "its number was 1 and is 9"}
    taken = FIRST.replace('mail: str = ""', 'mail: str = ""\n    note: Annotated[str, proto(number=1)] = ""')
    assert refusals(lambda: house.changes(taken)) == {"Order.note": "the number 1 is id's, which is in use"}


def test_enum_values_are_locked_like_fields(house: House) -> None:
    house.locked(FIRST)
    second = FIRST.replace('OPEN = "open"', 'NEW = "new"')
    second = second.replace("Status.OPEN", "Status.NEW")
    assert house.changes(second) == [
        "Status.STATUS_OPEN: removed: its number 1 and its name are kept from reuse",
        "Status.STATUS_NEW: new, number 3",
    ]  # fmt: skip
    text = schema_of(house.module(second).Order).to_schema_string()
    assert "reserved 1;" in text
    assert "STATUS_NEW = 3;" in text


def test_an_int_enum_whose_value_moves_is_refused(house: House) -> None:
    text = FIRST.replace("(Enum)", "(IntEnum)").replace('"open"', "0").replace('"shut"', "1")
    house.locked(text)
    assert refusals(lambda: house.changes(text.replace("SHUT = 1", "SHUT = 2"))) == {
        "Status.STATUS_SHUT": "its number was 1 and is 2"
    }


def test_a_model_may_move_to_another_module(house: House) -> None:
    before = numbers(house.locked(FIRST).Order)
    moved = house.module(FIRST, name="shop_moved")
    assert numbers(moved.Order) == before
    assert lock_models(models_in(moved)) == (LockChanges(house.lock, ()),)


def test_two_branches_that_take_one_number_meet_in_one_line_and_both_lines_are_refused(house: House) -> None:
    house.locked(FIRST)
    base = house.lock.read_text()
    ours = FIRST + "    ours: str = ''\n"
    theirs = FIRST + "    theirs: int = 0\n"
    texts = []
    for branch in (ours, theirs):
        house.lock.write_text(base)
        house.locked(branch)
        texts.append(house.lock.read_text())
    one, other = ((set(text.splitlines()) - set(base.splitlines())).pop() for text in texts)
    assert (one.split(" = ")[0], other.split(" = ")[0]) == ("5", "5")
    both = house.module(FIRST + "    ours: str = ''\n    theirs: int = 0\n")
    for merged in (
        texts[0].replace(one, f"{one}\n{other}"),
        texts[0].replace(one, f"<<<<<<< HEAD\n{one}\n=======\n{other}\n>>>>>>> theirs"),
        texts[0].replace(one, f"{one}\n{other.replace('5 =', '6 =').replace('theirs', 'ours')}"),
    ):
        house.lock.write_text(merged)
        for use in (lambda: schema_of(both.Order), lambda: lock_models([both.Order])):
            with pytest.raises(ConfigError) as caught:
                use()
            assert "delete the other's" in caught.value.hint
    house.lock.write_text(texts[0])
    assert [str(change) for change in lock_models([both.Order])[0].changes] == ["Order.theirs: new, number 6"]


def test_check_writes_nothing_and_tells_what_would_change(house: House) -> None:
    house.locked(FIRST)
    before = house.lock.read_bytes()
    assert house.changes(FIRST + "    more: int = 0\n", check=True) == ["Order.more: new, number 5"]
    assert house.lock.read_bytes() == before


def test_a_refused_change_writes_nothing_at_all(house: House) -> None:
    house.locked(FIRST)
    before = house.lock.read_bytes()
    refusals(lambda: house.changes(FIRST.replace("id: int", "id: str") + "    more: int = 0\n"))
    assert house.lock.read_bytes() == before


def test_a_model_that_names_its_lock_file_is_refused_without_it(house: House) -> None:
    text = FIRST.replace('package="shop.v1"', 'package="shop.v1", lock="numbers.lock"')
    order = house.module(text).Order
    with pytest.raises(ConfigError) as caught:
        schema_of(order)
    assert "protopact models lock shop_models:Order" in caught.value.hint
    lock_models([order])
    assert (house.folder / "numbers.lock").is_file()
    assert numbers(order)["id"] == 1


def test_the_lock_file_of_a_package_serves_the_modules_below_it(house: House) -> None:
    inner = house.folder / "shop" / "models"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").touch()
    deep = House(inner)
    deep.names = house.names
    deep.locked(FIRST)
    deep.lock.rename(house.folder / "shop" / "protopact.lock")
    lock_models([], check=False)
    changed = deep.module(FIRST + "    more: int = 0\n")
    assert set(refusals(lambda: schema_of(changed.Order))) == {"Order.more"}


def test_models_whose_numbers_are_all_said_need_no_line(house: House) -> None:
    house.locked(FIRST)
    said = "class Said(BaseModel):\n    a: Annotated[int, proto(number=7)]\n"
    assert numbers(house.module(said).Said) == {"a": 7}
    assert house.changes(said) == ["Said.a: new, number 7"]
    assert set(refusals(lambda: schema_of(house.module(said.replace("int", "str")).Said))) == {"Said.a"}


def test_the_models_of_a_module_are_those_that_no_other_there_uses(house: House) -> None:
    module = house.module(FIRST + "class Tree(BaseModel):\n    below: list['Tree'] = []\n")
    assert models_in(module) == [module.Order, module.Tree]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("format = 2\n", "says format 2"),
        ("format = \n", "is no lock file"),
        ("format = 1\nmessage = 3\n", "no table of tables"),
        ('format = 1\n[message."A"]\none = { name = "a" }\n', "is no entry"),
        ('format = 1\n[message."A"]\n1 = { nam = "a" }\n', "is no entry"),
        ('format = 1\n[message."A"]\n1 = "a"\n', "is no entry"),
        ('format = 1\n[message."A"]\n1 = { name = 3 }\n', "is no entry"),
        ('format = 1\n[message."A"]\n1 = { name = "a" }\n01 = { name = "b" }\n', "stands twice"),
    ],
)  # fmt: skip
def test_a_damaged_lock_file_is_refused_with_what_is_wrong(house: House, text: str, complaint: str) -> None:
    house.lock.write_text(text)
    order = house.module(FIRST).Order
    with pytest.raises(ConfigError, match=complaint) as caught:
        schema_of(order)
    assert caught.value.hint
