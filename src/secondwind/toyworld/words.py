"""The closed vocabularies of the toy world and its lasting facts.

    words   NAMES "Mia", TOWNS "Orra", OBJECTS "cup", FOODS "plums", ...   short: mostly one token
    facts   Topic("food").values["owl"] == "mice"                          the same in every document

Facts never change between documents, like facts of the real world; everything else (who lives where,
who has what) is drawn anew for each story.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NAMES: tuple[str, ...] = (
    *"Mia Tom Pia Ann Ben Cal Dot Eli Fay Gus Hal Ida Jon".split(),
    *"Kim Leo May Ned Ola Pam Ray Sam Tia Una Vic Wes Zoe".split(),
)
TOWNS: tuple[str, ...] = (
    *"Orra Belm Cast Dorn Elda Farn Gosk Holm Isk Jarl".split(),
    *"Kell Lund Morn Nard Ost Pell Rusk Senn Torv Vale".split(),
)
OBJECTS: tuple[str, ...] = tuple(
    "cup key hat bell drum rope lamp coin ring book boat pot fan map pen box".split()
)
FOODS: tuple[str, ...] = tuple("plums nuts eggs figs pears beans cakes pies".split())
JOBS: tuple[str, ...] = tuple("baker smith tailor weaver miller hunter guard sailor".split())
SPEAKERS: tuple[str, ...] = tuple("king child cook judge monk nurse".split())
DISHES: tuple[str, ...] = tuple("soup stew bread cake pie tea".split())
GOOD_TASTES: tuple[str, ...] = tuple("fresh warm sweet tasty rich crisp".split())
BAD_TASTES: tuple[str, ...] = tuple("stale cold sour burnt raw thin".split())
OPPOSITES = (
    ("hot", "icy"),
    ("big", "small"),
    ("wet", "dry"),
    ("fast", "slow"),
    ("old", "new"),
    ("high", "low"),
    ("hard", "soft"),
    ("light", "dark"),
    ("near", "far"),
    ("full", "empty"),
    ("loud", "quiet"),
    ("open", "shut"),
)
DIRECTIONS = ("north", "south")
LARGEST_NUMBER = 20

_RIVERS = {
    "Orra": "Amu", "Belm": "Tay", "Cast": "Lek", "Dorn": "Bru", "Elda": "Exe", "Farn": "Oka", "Gosk": "Ill",
    "Holm": "Dee", "Isk": "Lek", "Jarl": "Amu", "Kell": "Oka", "Lund": "Bru", "Morn": "Tay", "Nard": "Exe",
    "Ost": "Dee", "Pell": "Ill", "Rusk": "Bru", "Senn": "Amu", "Torv": "Oka", "Vale": "Lek",
}  # fmt: skip
_GOODS = {
    "Orra": "salt", "Belm": "wine", "Cast": "honey", "Dorn": "paper", "Elda": "soap", "Farn": "oil",
    "Gosk": "cloth", "Holm": "wax", "Isk": "wine", "Jarl": "paper", "Kell": "salt", "Lund": "honey",
    "Morn": "oil", "Nard": "cloth", "Ost": "soap", "Pell": "wax", "Rusk": "cloth", "Senn": "wine",
    "Torv": "soap", "Vale": "salt",
}  # fmt: skip
_DIETS = {
    "goat": "leaves", "cow": "grass", "hen": "seeds", "fox": "mice", "owl": "mice", "bear": "roots",
    "wolf": "meat", "duck": "bugs", "seal": "fish", "crab": "fish", "mole": "bugs", "hare": "grass",
    "deer": "leaves", "toad": "bugs", "swan": "roots", "mouse": "seeds", "lynx": "meat", "boar": "roots",
}  # fmt: skip
_BEDS = {
    "goat": "shed", "cow": "barn", "hen": "barn", "fox": "den", "owl": "tree", "bear": "cave", "wolf": "den",
    "duck": "pond", "seal": "shore", "crab": "shore", "mole": "hole", "hare": "hole", "deer": "wood",
    "toad": "pond", "swan": "pond", "mouse": "shed", "lynx": "cave", "boar": "wood",
}  # fmt: skip
_STUFF = {
    "cup": "clay", "key": "iron", "hat": "wool", "bell": "brass", "drum": "hide", "rope": "flax",
    "lamp": "glass", "coin": "brass", "ring": "gold", "book": "hide", "boat": "oak", "pot": "clay",
    "fan": "wool", "map": "flax", "pen": "gold", "box": "oak",
}  # fmt: skip
_COLOURS = {
    "rose": "red", "lily": "white", "iris": "blue", "fern": "green", "moss": "gray", "reed": "brown",
    "ivy": "green", "elm": "brown", "fir": "blue", "mint": "white", "flax": "blue", "rye": "gray",
    "palm": "red", "thyme": "pink", "clover": "pink", "poppy": "red",
}  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """One kind of lasting fact: a value for each entity, and the ways to say it.

    Args:
        values: entity -> value.
        statements: sentences with `{entity}` and `{value}`.
        clause: the question inside a sentence, as in "asked which river runs through Orra".
        question: the same as a question of its own.
    """

    name: str
    values: Mapping[str, str]
    statements: tuple[str, ...]
    clause: str
    question: str

    @property
    def choices(self) -> tuple[str, ...]:
        """Return the distinct values in alphabetical order."""
        return tuple(sorted(set(self.values.values())))


TOPICS = {
    topic.name: topic
    for topic in (
        Topic(
            "river",
            _RIVERS,
            ("The river of {entity} is the {value}.", "The {value} runs through {entity}."),
            "which river runs through {entity}",
            "Which river runs through {entity}?",
        ),
        Topic(
            "goods",
            _GOODS,
            ("The town of {entity} sells {value}.", "People buy {value} in {entity}."),
            "what the town of {entity} sells",
            "What does the town of {entity} sell?",
        ),
        Topic(
            "diet",
            _DIETS,
            ("The {entity} eats {value}.", "The food of the {entity} is {value}."),
            "what the {entity} eats",
            "What does the {entity} eat?",
        ),
        Topic(
            "bed",
            _BEDS,
            ("The {entity} sleeps in the {value}.", "The bed of the {entity} is in the {value}."),
            "where the {entity} sleeps",
            "Where does the {entity} sleep?",
        ),
        Topic(
            "stuff",
            _STUFF,
            ("The {entity} is made of {value}.", "People use {value} to make a {entity}."),
            "what the {entity} is made of",
            "What is the {entity} made of?",
        ),
        Topic(
            "colour",
            _COLOURS,
            ("The colour of the {entity} is {value}.", "In the field the {entity} is {value}."),
            "which colour the {entity} has",
            "Which colour does the {entity} have?",
        ),
    )
}
