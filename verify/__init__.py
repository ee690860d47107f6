"""Whether a response's final answer is the gold answer: `grade`, `grade_many`; and of two answers: `same_answer`."""

from verify.grade import grade, grade_many, same_answer
from verify.policy import Policy
from verify.verdict import Verdict

__all__ = ["Policy", "Verdict", "grade", "grade_many", "same_answer"]
