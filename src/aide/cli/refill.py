"""`--refill`: others in the places of records that a review refused."""

from typing import TYPE_CHECKING

from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.cli.display import Display
    from aide.run.folder import RunFolder


def free_refused_places(folder: "RunFolder", display: "Display") -> None:
    """Take the refused records out of the shards, so that the run grows others, and say how many.

    Raises:
        InputError: the reviews can't be read.
        FolderHeld: a run is going on in the folder.
    """
    from aide.dataset.reviews import Reviews
    from aide.run.lineage import take_out_refused

    if count := take_out_refused(folder, Reviews.read(folder.path).list_refused()):
        display.tell(f"{format_plural(count, 'refused record')} to make up for", "refill", records=count)
