"""The data sets this project can read, one file each; adding one is such a file and a line here.

A reader has
- `read(archive)`, which yields every member of the archive as a `Picture`, or as `Rejected` with a reason,
  and raises InputError where a label is unknown; lists that only name labels are read, not yielded;
- `PUBLISHED`, the counts that its distribution is known by: official part (or "") → label → pictures;
- `LAYOUT`, what its archive looks like, for people;
- `crop`, where its pictures show more than a face, else None.
"""

from stages.datasets.readers import ck48, fer2013, jaffe, rafdb, sfew

READERS = {"ck48": ck48, "jaffe": jaffe, "sfew": sfew, "fer2013": fer2013, "rafdb": rafdb}
