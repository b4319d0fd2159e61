"""The phrasing of text that somebody has phrased already; records have the field `inputs`."""

from secondwind.instruct.task import Template

PLAIN_TEMPLATES = (Template("{inputs}"),)
