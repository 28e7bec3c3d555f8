"""What lies in the cluster's memory for the lessons to come: large pieces, by their digest."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from services.training.cluster.parcel import Errand

ROOM: Final = 4


class Shelf:
    """The pieces that were sent last; what falls off is freed there."""

    def __init__(self, put: Callable[[bytes], Any]) -> None:
        self._put = put
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def beside(self, errand: Errand) -> list[Any]:
        """References to what lies beside the errand's parcel, in its order; each is sent once."""
        found = [self._reference(name, errand.beside[name]) for name in errand.parcel.beside]
        while len(self._kept) > ROOM:
            self._kept.popitem(last=False)
        return found

    def _reference(self, name: str, content: bytes) -> Any:
        if name not in self._kept:
            self._kept[name] = self._put(content)
        self._kept.move_to_end(name)
        return self._kept[name]
