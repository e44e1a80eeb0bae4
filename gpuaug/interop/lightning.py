"""gpuaug.DataLoader in Lightning.

A LightningModule or -DataModule may return a gpuaug.DataLoader from ``train_dataloader`` as it is: Lightning saves and
restores its position with the checkpoint, in the middle of an epoch too. `DataModule` only spares writing that down, and
puts batches on the device of the trainer's process.
"""

from lightning.pytorch import LightningDataModule

from ..data.loader import DataLoader

__all__ = ["DataModule"]


class DataModule(LightningDataModule):
    """Datasets and their transforms as a LightningDataModule.

    Args:
        train, val, test, predict: datasets; what is None has no loader.
        transform: `gpuaug.Compose` for training.
        eval_transform: that for validation, testing and predicting; None decodes only.
        sampler, batch_sampler: for training; without them training data are shuffled.
        loader: every other argument of gpuaug.DataLoader, for all loaders, such as ``batch_size=64, dtype=torch.float16``.

    Under several devices gpuaug.DataLoader gives each rank its part by itself: with
    ``Trainer(use_distributed_sampler=False)`` the batches of all ranks together are those of one device. If Lightning puts
    its own DistributedSampler there, every sample still gets the same pixels, in another order.

        trainer.fit(model, DataModule(train=ImageFolder(root), transform=compose, batch_size=64))

    Example:
        >>> import torch, gpuaug as G
        >>> from torch.utils.data import TensorDataset
        >>> data = TensorDataset(torch.zeros(6, 3, 8, 8, dtype=torch.uint8), torch.arange(6))
        >>> module = DataModule(train=data, transform=G.Compose([G.HorizontalFlip()]), batch_size=3, device="cpu")
        >>> next(iter(module.train_dataloader()))[0].shape
        torch.Size([3, 3, 8, 8])
    """

    def __init__(
        self,
        train=None,
        val=None,
        test=None,
        predict=None,
        transform=None,
        eval_transform=None,
        sampler=None,
        batch_sampler=None,
        **loader,
    ):
        super().__init__()
        taken = {"dataset", "shuffle"} & set(loader)
        if taken:
            raise TypeError(f"DataModule sets {', '.join(sorted(taken))} itself: training data are shuffled, others not")
        if sampler is not None and batch_sampler is not None:
            raise ValueError("sampler and batch_sampler exclude each other, as in torch's DataLoader")
        self.train, self.val, self.test, self.predict = train, val, test, predict
        self.transform, self.eval_transform = transform, eval_transform
        self.sampler, self.batch_sampler, self.loader = sampler, batch_sampler, loader
        # Lightning asks whether a hook is overridden and then expects data: hooks without data must not be there
        for stage in ("train", "val", "test", "predict"):
            if getattr(self, stage) is not None:
                setattr(self, f"{stage}_dataloader", getattr(self, f"_{stage}_dataloader"))

    def _make(self, dataset, transform, **how):
        device = None if self.trainer is None else self.trainer.strategy.root_device
        return DataLoader(dataset, transform=transform, **{"device": device, **self.loader, **how})

    def _train_dataloader(self):
        if self.batch_sampler is not None:
            sizes = {"batch_size": 1, "drop_last": False}  # a batch sampler decides both
            return self._make(self.train, self.transform, batch_sampler=self.batch_sampler, **sizes)
        how = {"shuffle": True} if self.sampler is None else {"sampler": self.sampler}
        return self._make(self.train, self.transform, **how)

    def _val_dataloader(self):
        return self._make(self.val, self.eval_transform)

    def _test_dataloader(self):
        return self._make(self.test, self.eval_transform)

    def _predict_dataloader(self):
        return self._make(self.predict, self.eval_transform)
