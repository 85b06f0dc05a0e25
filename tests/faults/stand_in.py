"""Takes the place of the scripts that come before the downstream data sets: writes outputs that the rest can read.

python -m tests.faults.stand_in OUTPUT ...
"""

import sys
from pathlib import Path

TABLES = {
    "attrition.csv": "subset,split,status,n\nmusic,train,ok,9\n",
    "attrition_by_label.csv": "subset,split,mid,label,status,reason,n\nmusic,train,/m/04rlf,Music,ok,,9\n",
    "history.csv": "epoch,loss,accuracy,val_loss,val_accuracy,samples_seen\n"
    "1,0.7,0.5,0.7,0.5,8\n2,0.6,0.6,0.6,0.6,16\n",
    "avc.csv": "train_subset,test_subset,front_end,epoch,n,accuracy,ci_low,ci_high,n_units\n"
    "music,music,mel128,2,64,0.7,0.6,0.8,9\n",
}


def main(outputs: list[Path]) -> None:
    """Write each output by its name."""
    for path in outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Imported where they are needed: most outputs need none.
        if path.suffix == ".keras":
            from tests import tiny_embedding

            tiny_embedding.write_embedding(path, pooling=512, width=1 / 16)
        elif path.suffix == ".png":
            from PIL import Image

            Image.new("RGB", (600, 300), "white").save(path)
        elif path.suffix == ".csv":
            path.write_text(TABLES.get(path.name, "ytid\n"))
        else:
            path.touch()


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
