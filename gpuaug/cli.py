"""The command `gpuaug`."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated


class Format(str, Enum):
    """How a pipeline is written."""

    yaml = "yaml"
    json = "json"


class Store(str, Enum):
    """How a cache stores images."""

    raw = "raw"
    jpeg = "jpeg"


def build():
    import typer

    app = typer.Typer(
        help="GPU-native augmentation of images and spectrograms.", add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def gpuaug():
        """A callback keeps the name of the command even while there is but one."""

    @app.command()
    def demo(
        folder: Annotated[Path | None, typer.Option(help="where to keep the photographs; else the user's cache")] = None,
        count: Annotated[int, typer.Option(min=8, help="how many JPEGs")] = 512,
        rounds: Annotated[int, typer.Option(min=1, help="epochs of each loader that are timed")] = 5,
        batch_size: Annotated[int, typer.Option(min=1)] = 64,
        workers: Annotated[int, typer.Option(min=0, help="worker processes; for gpuaug: threads that read")] = 2,
        device: Annotated[str | None, typer.Option(help="cuda or cpu; else a GPU where there is one")] = None,
        out: Annotated[Path, typer.Option(help="the picture to write")] = Path("gpuaug_demo.png"),
    ):
        """Real photographs through torch's DataLoader + albumentations and through gpuaug, side by side."""
        from gpuaug.demo import run

        _told("demo", run, folder, count, rounds, batch_size, workers, out, device)

    @app.command()
    def info():
        """What is here: versions, device, compiled kernels; what is missing, and the command that brings it."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        from gpuaug.commands.info import rows

        table = Table(show_header=False, box=None)
        for row in rows():
            table.add_row(*map(Text, row))  # as it is: in rich's markup the extra of 'gpuaug[yaml]' is a style, and gone
        Console(highlight=False).print(table)

    @app.command()
    def preview(
        pipeline: Annotated[str, typer.Argument(help="a pipeline's file (.yaml, .json), or the name of a transform")],
        images: Annotated[Path | None, typer.Option(help="a folder of pictures; else photographs that packages bring")] = None,
        out: Annotated[Path, typer.Option(help="the picture to write")] = Path("gpuaug_preview.png"),
        count: Annotated[int, typer.Option(min=1, help="how many pictures")] = 4,
        draws: Annotated[int, typer.Option(min=1, help="draws beside each")] = 4,
    ):
        """A sheet of originals and of what a pipeline makes of them, with what was drawn."""
        from gpuaug.commands.pipelines import preview

        print(_told("preview", preview, pipeline, images, out, count, draws))

    @app.command()
    def explain(
        pipeline: Annotated[str, typer.Argument(help="a pipeline's file (.yaml, .json), or the name of a transform")],
        height: Annotated[int, typer.Option(min=1, help="of the images")] = 224,
        width: Annotated[int, typer.Option(min=1, help="of the images")] = 224,
        samples: Annotated[int, typer.Option(min=1, help="of the batch")] = 64,
    ):
        """What a batch would launch, in words."""
        from gpuaug.commands.pipelines import explain

        print(_told("explain", explain, pipeline, height, width, samples))

    @app.command()
    def explore(
        folder: Annotated[Path | None, typer.Argument(help="a folder of pictures to choose from")] = None,
        masks: Annotated[Path | None, typer.Option(help="a folder of masks, which have the pictures' names")] = None,
        pipeline: Annotated[
            str | None, typer.Option(help="what is shown first: a pipeline's file (.yaml, .json), or the name of a transform")
        ] = None,
        port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free")] = 8470,
        host: Annotated[
            str, typer.Option(help="other than 127.0.0.1: whoever reaches this machine sees its pictures")
        ] = "127.0.0.1",
        browser: Annotated[bool, typer.Option(help="open a browser")] = True,
    ):
        """Try transforms and pipelines on pictures, in the browser."""
        from gpuaug.explorer.server import explore

        _told("explore", explore, folder, masks, pipeline, host, port, browser)

    @app.command()
    def convert(
        file: Annotated[Path, typer.Argument(help="a pipeline that albumentations or gpuaug saved (.json, .yaml)")],
        out: Annotated[Path | None, typer.Option(help="where to write it; else it is printed")] = None,
        to: Annotated[Format | None, typer.Option("--to", help="else what the name of --out says, or yaml")] = None,
    ):
        """A pipeline of albumentations' as gpuaug's: every argument that cannot be had is named."""
        from gpuaug.commands.pipelines import convert

        print(_told("convert", convert, file, out, None if to is None else to.value), end="")

    bench = typer.Typer(help="Speed, side by side.")
    app.add_typer(bench, name="bench")

    @bench.command("pipeline")
    def bench_pipeline(
        pipeline: Annotated[str, typer.Argument(help="a pipeline's file (.yaml, .json), or the name of a transform")],
        data: Annotated[Path, typer.Option(help="a folder of pictures, at any depth")],
        batch: Annotated[int, typer.Option(min=1, help="samples of a batch")] = 64,
        workers: Annotated[int, typer.Option(min=0, help="worker processes; for gpuaug: threads that read")] = 2,
        rounds: Annotated[int, typer.Option(min=1, help="epochs of each loader that are timed")] = 5,
        device: Annotated[str | None, typer.Option(help="cuda or cpu; else a GPU where there is one")] = None,
        out: Annotated[Path, typer.Option(help="where to write the numbers; the chart beside it")] = Path("gpuaug_bench.json"),
    ):
        """Your pipeline on your pictures: torch's DataLoader with albumentations, torchvision, Kornia, and gpuaug, in turn."""
        from gpuaug.commands.bench import run
        from gpuaug.commands.pipelines import pipeline_of

        _told("bench", lambda: run(pipeline_of(pipeline), data, out, batch, workers, rounds, device))

    def of_the_project(name: str, module: str, what: str):
        @bench.command(name, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, help=what)
        def command(context: typer.Context):
            from gpuaug.commands.project import run

            _told("bench", run, module, context.args)

    of_the_project("ops", "bench.every", "The project's own: every transform beside albumentations' (in a checkout).")
    of_the_project("loader", "bench.loader", "The project's own: loaders, whole epochs in turn (in a checkout).")
    of_the_project("host", "bench.host", "The project's own: what a batch costs before its launches (in a checkout).")

    cache = typer.Typer(help="Samples that are decoded once.")
    app.add_typer(cache, name="cache")

    @cache.command("build")
    def build_cache(
        folder: Annotated[
            str,
            typer.Argument(
                help="images by class, folder/class/image.jpg; with --masks or --unlabelled any images; or a file: x.parquet, .."
            ),
        ],
        out: Annotated[Path, typer.Option(help="the folder of the cache: to be made, or brought up to date")],
        size: Annotated[
            int | None, typer.Option(min=1, help="the shorter side of images that are larger; else their own")
        ] = None,
        store: Annotated[Store, typer.Option("--as", help="raw: pixels; jpeg: a tenth of the space, to be decoded")] = Store.raw,
        quality: Annotated[int, typer.Option(min=1, max=100, help="of JPEGs")] = 95,
        masks: Annotated[Path | None, typer.Option(help="a folder of masks, which have the images' names")] = None,
        mask_suffix: Annotated[str, typer.Option(help="what a mask's name has more")] = "",
        image: Annotated[str | None, typer.Option(help="of a file of another format: the column of the images")] = None,
        mask: Annotated[str | None, typer.Option(help="of a file of another format: the column of masks")] = None,
        unlabelled: Annotated[
            bool, typer.Option("--unlabelled", help="all images in the folder and below it, without labels")
        ] = False,
        verify: Annotated[bool, typer.Option(help="read all of it; make anew what has a wrong checksum or bad samples")] = False,
        workers: Annotated[int, typer.Option(min=0, help="threads; 0 means all cores")] = 0,
    ):
        """Decode the images of a folder, once, into a cache; or bring a cache up to date with its folder."""
        from gpuaug.data.stored.command import build

        given = masks, mask_suffix, image, mask, unlabelled, verify, workers
        _told("cache", build, folder, out, size, store.value, quality, *given)

    @cache.command("check")
    def check_cache(folder: Annotated[Path, typer.Argument(help="the folder of the cache")]):
        """Read all of a cache: are its checksums right, and the files that it was made of as they were?"""
        from gpuaug.data.stored.command import check

        _told("cache", check, folder)

    return app


def _told(word, command, *given):
    """Runs a command; what is the user's to mend is one sentence, and exit code 2."""
    from gpuaug.data.stored.files import CacheError

    try:
        return command(*given)
    except (CacheError, ValueError, TypeError, KeyError, OSError, ImportError) as error:
        named = isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror
        print(f"gpuaug {word}: {f'{error.filename}: {error.strerror}' if named else error}", file=sys.stderr)
        sys.exit(2)


def main():
    try:
        app = build()
    except ImportError as error:
        print(f"gpuaug: {error.name} is missing; the command takes: pip install 'gpuaug[demo]'", file=sys.stderr)
        sys.exit(2)
    app()


if __name__ == "__main__":
    main()
