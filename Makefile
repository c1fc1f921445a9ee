# The habits of working here; each in the environment that is active (python -m venv .venv && . .venv/bin/activate).
.DEFAULT_GOAL := help
.PHONY: help develop test check ci bench peers docs wheel sdist clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

develop: ## build the package in place, with what the tests need (again after each change in rust/)
	pip install "maturin>=1.14,<2"
	maturin develop --release --extras test

test: ## the tests of both languages
	cargo test
	pytest

check: ## formatting, lints, types, stubs, Rust documentation: all that .ci/run checks beside the tests
	.ci/run check

ci: ## everything, in a fresh virtual environment, as the machines do it
	.ci/run

bench: ## criterion benchmarks of the kernels beside their scalar forms
	cargo bench

peers: ## side by side with NumPy and with the packages of the extra `bench`
	@for script in benches/peers/*.py; do echo "== $$script"; python "$$script" || exit 1; done

docs: ## documentation of the Rust crate, in target/doc
	cargo doc --no-deps

wheel: ## a wheel for this platform, in dist/
	pip wheel --no-deps --wheel-dir dist .

sdist: ## a source distribution, in dist/
	pip install "maturin>=1.14,<2"
	maturin sdist --out dist

clean: ## remove what was built
	rm -rf target dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python -name '*.so' -o -name '*.pyd' | xargs rm -f
