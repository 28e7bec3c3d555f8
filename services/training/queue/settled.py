"""Imported last by the fork server: what it has loaded stays as it is, so that no child's garbage
collection writes to the pages that all of them share."""

import gc

gc.collect()
gc.freeze()
