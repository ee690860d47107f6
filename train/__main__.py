"""`python -m train`, and `accelerate launch -m train` for several processes."""

from train.cli import main

main()
