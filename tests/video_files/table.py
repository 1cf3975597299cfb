"""Read videos of all kinds in all ways: the table of docs/video_files.md.

python tests/video_files/table.py --write-docs
"""



