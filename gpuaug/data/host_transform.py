"""What datasets share that may decode on the host."""

from __future__ import annotations


class HostTransform:
    """Shared: a `transform` on the host rules out decoding elsewhere, from the moment at which it is set."""

    @property
    def transform(self):
        """What is called with each decoded image, or None."""
        return self._transform

    @transform.setter
    def transform(self, transform):
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, got {type(transform).__name__}")
        self._transform = transform
        self.__dict__.pop("encoded", None)
        if transform is not None:
            self.encoded = None  # hides the method: to the loader the dataset is one of arrays

    def _transformed(self, image):
        return image if self.transform is None else self.transform(image)
