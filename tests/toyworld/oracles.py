"""Two readers without understanding, to show that the toy benchmarks need some.

    FiveGram          a 5-gram language model with stupid backoff over corpus and tuning text
    NearestNeighbour  copies the target of the tuning example that shares most with the question

Both answer in the suite's own ways: rank the options, or write an answer. `normalized` scores them like a
model: the mean over parts of (score - chance) / (1 - chance), times 100, unclipped.

Source of stupid backoff: Brants et al., "Large Language Models in Machine Translation", 2007, section 4.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from secondwind.evaluation.suite import Benchmark, Mode, Subtask, Suite
from secondwind.instruct.task import Record, Task, Template
from secondwind.randomness import Draws, key

END = "<end>"
_WORD = re.compile(r"\w+|[^\w\s]|\n")


def words(text: str) -> list[str]:
    """Split text into words, signs and line breaks."""
    return _WORD.findall(text)


def render(record: Record, template: Template) -> tuple[str, str]:
    """Render a record zero-shot: inputs, and the target with the space before it."""
    options = "\n".join(f"- {option}" for option in record.options)
    fields = {
        **record.fields,
        "options": options,
        "answer": record.answers[0],
        "rationale": record.rationale or "",
    }
    query = template.query.format(**fields)
    if template.instruction:
        query = template.instruction + template.between + query
    return query, " " + template.target.format(**fields)


def tuning_examples(tasks: Sequence[Task], per_task: int) -> list[tuple[str, str]]:
    """Render the first records of each task, templates in turn."""
    examples: list[tuple[str, str]] = []
    for task in tasks:
        for index in range(min(per_task, len(task.records))):
            examples.append(render(task.records[index], task.templates[index % len(task.templates)]))
    return examples


class FiveGram:
    """A 5-gram model with stupid backoff."""

    def __init__(self, texts: Iterable[str], order: int = 5) -> None:
        """Count all n-grams up to `order` words."""
        self._order = order
        self._next: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for text in texts:
            tokens = [*words(text), END]
            for position, token in enumerate(tokens):
                for length in range(min(order - 1, position) + 1):
                    self._next[tuple(tokens[position - length : position])][token] += 1
        self._total = {context: sum(counts.values()) for context, counts in self._next.items()}

    def score(self, context: str, continuation: str) -> float:
        """Return the log score of a continuation."""
        tokens, total = words(context), 0.0
        for token in words(continuation):
            total += self._log_score(tokens, token)
            tokens.append(token)
        return total

    def _log_score(self, tokens: list[str], token: str) -> float:
        for length in range(min(self._order - 1, len(tokens)), -1, -1):
            context = tuple(tokens[len(tokens) - length :])
            count = self._next[context][token] if context in self._next else 0
            if count:
                return math.log(count / self._total[context]) + (self._order - 1 - length) * math.log(0.4)
        return -30.0

    def generate(self, context: str, limit: int) -> str:
        """Continue greedily until the end or `limit` words."""
        tokens = words(context)
        start = len(tokens)
        while len(tokens) < start + limit:
            for length in range(self._order - 1, -1, -1):
                counts = self._next.get(tuple(tokens[len(tokens) - length :]))
                if counts:
                    break
            token = counts.most_common(1)[0][0]  # the empty context always has counts
            if token == END:
                break
            tokens.append(token)
        return " ".join(tokens[start:])


class NearestNeighbour:
    """Copies the target of the tuning example whose words overlap most (cosine of weighted counts)."""

    def __init__(self, examples: Sequence[tuple[str, str]]) -> None:
        """Index the examples by word."""
        bags = [Counter(words(inputs)) for inputs, _ in examples]
        frequency = Counter(word for bag in bags for word in bag)
        self._weight = {word: math.log(len(bags) / count) ** 2 for word, count in frequency.items()}
        self._targets = [target.strip() for _, target in examples]
        self._norms = [math.sqrt(sum(n * n * self._weight[w] for w, n in bag.items())) or 1.0 for bag in bags]
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, bag in enumerate(bags):
            for word, count in bag.items():
                self._places[word].append((index, count))

    def target(self, query: str) -> str:
        """Return the target of the nearest example."""
        similarity = [0.0] * len(self._targets)
        for word, count in Counter(words(query)).items():
            weight = self._weight.get(word, 0.0) * count
            if weight > 0.05:  # words that stand in nearly every example cost time and tell nothing
                for index, other in self._places[word]:
                    similarity[index] += weight * other / self._norms[index]
        return self._targets[max(range(len(similarity)), key=similarity.__getitem__)]


@dataclass(frozen=True)
class Reader:
    """How an oracle answers: by choosing an option, or by writing."""

    choose: Callable[[str, Sequence[str]], str]
    write: Callable[[str, int], str]


def five_gram_reader(model: FiveGram) -> Reader:
    """Answer with a 5-gram model."""
    return Reader(
        choose=lambda query, options: max(options, key=lambda option: model.score(query, " " + option)),
        write=model.generate,
    )


def neighbour_reader(neighbour: NearestNeighbour) -> Reader:
    """Answer with the nearest neighbour; where its target is no option, guess by a keyed draw."""

    def choose(query: str, options: Sequence[str]) -> str:
        target = extract(neighbour.target(query))
        if target in options:
            return target
        return options[Draws(key(0, query)).below(len(options))]

    return Reader(choose=choose, write=lambda query, limit: neighbour.target(query))


def extract(text: str) -> str:
    """Return what follows the last 'The answer is', or the whole text, without the full stop."""
    return text.rsplit("The answer is", 1)[-1].strip().rstrip(".").strip()


def score(subtask: Subtask, benchmark: Benchmark, mode: Mode, reader: Reader) -> float:
    """Return the share of a subtask's items that a reader gets right, zero-shot."""
    kind = "direct" if mode == "direct" else "rationale"
    template = next(template for template in subtask.task.templates if template.kind == kind)
    right = 0
    for record in subtask.task.records:
        query, _ = render(record, template)
        if mode == "direct" and benchmark.method == "rank":
            answer = reader.choose(query, record.options)
        else:
            answer = extract(reader.write(query, benchmark.max_new_tokens[mode]))
            if (
                template.shows_options and answer not in record.options
            ):  # a fair oracle guesses rather than fails
                answer = record.options[Draws(key(0, query)).below(len(record.options))]
        right += answer in record.answers
    return right / len(subtask.task.records)


def normalized(suite: Suite, reader: Reader) -> tuple[float, dict[str, float]]:
    """Return the normalised average of a reader, and its parts."""
    parts: dict[str, list[float]] = defaultdict(list)
    for benchmark in suite.benchmarks:
        for mode in benchmark.modes:
            shares = [
                (score(subtask, benchmark, mode, reader) - subtask.chance) / (1 - subtask.chance)
                for subtask in benchmark.subtasks
            ]
            parts[f"{benchmark.family} {mode}"].append(100 * sum(shares) / len(shares))
    means = {part: sum(values) / len(values) for part, values in parts.items()}
    return sum(means.values()) / len(means), means
