"""From an opportunity to a draft: new text for files of a live service, by rules where one fits, else by a model.

service.py     the code of the service, and what may be changed of it
by_rules.py    an opportunity → transformations of the function it names
by_model.py    an opportunity → a prompt, and its reply read          (reply.py, telling.py)
drafting.py    rules first, then the model
"""
