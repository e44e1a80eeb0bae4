"""The command `gpuaug`."""

import sys
from pathlib import Path
from typing import Annotated


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

        run(folder, count, rounds, batch_size, workers, out, device)

    return app


def main():
    try:
        app = build()
    except ImportError as error:
        sys.exit(f"gpuaug: {error.name} is missing; the command takes: pip install 'gpuaug[demo]'")
    app()


if __name__ == "__main__":
    main()
