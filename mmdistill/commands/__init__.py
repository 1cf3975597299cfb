"""The programs of the console command: `mmdistill train` calls `commands.train.main`."""
