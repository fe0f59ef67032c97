"""Which ordinals of plain records belong to a part of a run."""

from dataclasses import dataclass, replace

from aide.records import digest


@dataclass(frozen=True, slots=True)
class PlainShare:
    """Every `count`-th block of `block` ordinals, from the block `index` on. A group lies within one block.

    Blocks are as long as groups, so that what a group holds does not depend on how many parts there are.
    """

    index: int
    count: int
    block: int

    def turn(self, *names: str) -> "PlainShare":
        """The share of the plain records of these names: of another level another part has the first block."""
        return replace(self, index=(self.index + int(digest(*names), 16)) % self.count)

    def skip(self, ordinal: int) -> int:
        """The first ordinal of the share that is not below this one."""
        number = ordinal // self.block
        ahead = (self.index - number) % self.count
        return (number + ahead) * self.block if ahead else ordinal

    def count_below(self, last: int) -> int:
        """How many ordinals of the share are below this one."""
        rounds, rest = divmod(last, self.block * self.count)
        return rounds * self.block + min(self.block, max(0, rest - self.index * self.block))

    def count_left_in_block(self, ordinal: int) -> int:
        """How many ordinals of its block are left from this one on."""
        return self.block - ordinal % self.block
