"""Draw the picture of docs/regularisation.md: ``python docs/draw_path.py`` (needs ``h2olite[plot]``).

It is the path of l1 on breast_cancer that the page shows as a table.
"""

from pathlib import Path

import h2olite

DOCS = Path(__file__).parent
PICTURE = DOCS / "path.svg"


def main() -> None:
    """Train the path, and write its picture."""
    path = h2olite.regularization_path(
        training_frame=str(DOCS.parent / "datasets" / "breast_cancer.csv"),
        l1="1e-4:3e-2:6",
        hidden=[50, 50],
        epochs=50,
        nfolds=5,
        seed=1,
        reproducible=True,
    )
    print(path.table().to_string(index=False))
    path.plot(str(PICTURE))


if __name__ == "__main__":
    main()
