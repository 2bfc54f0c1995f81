"""The engines of the code feedback loop: facts, generator, discriminator, agitator, and the loop over them.

facts.py          what the syntax tree proves            (body.py, kinds.py, fact_records.py, sources.py)
discriminator.py  comment against code → reward, issues  (judges.py and its features, claims, polarity, returns)
file_score.py     all comments of a file → one score
generator.py      facts → comments                       (statements.py, purpose.py, defects.py, docstrings.py)
agitator.py       score → guidance, directives           (guidance.py)
loop.py           rounds, the best one kept              (assistants.py, records.py)
benchmark.py      reports, comparison, challenge set
model_engines.py  the three with a language model        (model_generator.py, model_discriminator.py,
                  model_agitator.py, their guards, scopes and answers; blocking.py)
writing.py        comments into the file, tree unchanged
"""
