"""The demo's pipelines over JPEG files: torch DataLoader + albumentations against gpuaug.DataLoader.

`python -m bench.loader`
"""

from bench.harness import arguments, markdown, quartiles, write


def main():
    from gpuaug.demo import compare, photo_folder

    options = arguments(__doc__, rounds=7, count=512, batch_size=64, workers=2, folder=None, device=None)
    folder = photo_folder(options.folder, options.count)
    result = compare(folder, options.rounds, options.batch_size, options.workers, device=options.device)
    path = write("loader", [result], device=result["device"], out=options.out)
    print(table([result]), f"\n{path}")


def table(results):
    rows = []
    for result in results:
        for name, label in (("torch", "torch DataLoader + albumentations"), ("gpuaug", "gpuaug.DataLoader")):
            side = result[name]
            ratio = "1" if name == "torch" else "{1:.2f}x ({0:.2f}-{2:.2f})".format(*quartiles(result["ratios"]))
            rows.append([label, f"{side['rate']:.0f}", f"{side['cpu_ms']:.2f}", ratio])
    return markdown(["JPEG files to augmented batches", "images/s", "CPU ms per image", "ratio (quartiles)"], rows)


if __name__ == "__main__":
    main()
