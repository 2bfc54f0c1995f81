"""Changes of code: patches parsed, applied and merged; transformations; the candidates of a campaign.

Text in, text out: nothing here touches a file or starts a process.

edits.py      an answer → changes of files                 (unified.py, blocks.py, whole.py, fences.py, changes.py)
apply.py      changes → changed files, each hunk's way     (placing.py, fitting.py, rewriting.py, indentation.py,
                                                           anchors.py, elision.py, content.py, paths.py)
diff.py       two states → unified diff, and its inverse   (blobs.py)
merge.py      two descendants of one base → one            (three_way.py, definitions.py, units.py)
parts.py      a change → parts of which any subset parses  (splitting.py, units.py)
bisection.py  which parts are guilty, by few questions
alignment.py, lines.py, syntax.py  what all of them stand on
transformations/  named places that can be made faster, constants that are marked as tunable
population.py     the candidates so far                    (bundles.py, generations.py, suspicion.py, work.py)
"""
