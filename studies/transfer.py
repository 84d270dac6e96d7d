"""Which way of filling a new vocabulary lets an English language model learn Spanish soonest?

A small causal language model is trained on English novels. Its vocabulary is then replaced by one of
Spanish, by each method, and the whole model is trained on Spanish novels: loss on held-out text against
steps. The packages' own recipe (`wechsel`, `deepfocus`): vectors of fastText, trained on each language by
itself with the settings of these packages, and their code. Ours: `jointalign.transfer` with two separate
trainings and Procrustes, and with joint and separate training side by side, aligned by VecMap. Text,
dictionary, dimensions and language model are the same for all; a seed changes vectors, random rows and
the order of the Spanish text. Stopped, it goes on.

    pip install wechsel deepfocus fasttext-numpy2
    python studies/transfer.py --data DATA --work runs/transfer --seeds 3
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

import jointalign as ja
from jointalign.storage.files import atomic, read_lines
from jointalign.transfer import Tokens, Units, load_model, load_tokenizer, map_tokens, move
from jointalign.version import __version__

LANGUAGES = ("en", "es")
LENGTH, BATCH, RATE, WARM = 64, 16, 1e-3, 20
ARMS = {
    "random": "random",
    "mean": "mean, shared tokens copied",
    "wechsel package": "WECHSEL's package: fastText, Procrustes",
    "wechsel separate": "WECHSEL's rule, separate trainings, Procrustes",
    "wechsel both": "WECHSEL's rule, joint and separate side by side",
    "focus package": "FOCUS's package: fastText of tokens",
    "focus both": "FOCUS's rule, joint and separate side by side",
    "tokalign both": "TokAlign's rule, joint and separate side by side",
}


@dataclass
class Study:
    data: Path
    work: Path
    tokens: int
    vocabulary: int
    pretraining: int
    steps: int

    def text(self, language: str) -> Path:
        """The first words of the novels, as they are."""
        path = self.work / f"{language}.txt"
        if not path.exists():
            seen = 0
            with atomic(path, "w") as file:
                for _, line in read_lines(self.data / "mono" / f"novels.{language}.txt.bz2"):
                    file.write(line + "\n")
                    seen += len(line.split())
                    if seen >= self.tokens:
                        break
        return path

    def tokenizer(self, language: str):
        folder = self.work / f"tokenizer.{language}"
        if not (folder / "tokenizer.json").exists():
            from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
            from transformers import PreTrainedTokenizerFast

            made = Tokenizer(models.BPE())
            made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
            made.decoder = decoders.ByteLevel()
            alphabet = pre_tokenizers.ByteLevel.alphabet()
            trainer = trainers.BpeTrainer(
                vocab_size=self.vocabulary, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet
            )
            made.train([str(self.text(language))], trainer)
            names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
            PreTrainedTokenizerFast(tokenizer_object=made, **names).save_pretrained(folder)
        return load_tokenizer(folder)

    def rows(self, language: str) -> torch.Tensor:
        """The text as rows of tokens; the last hundred are held out."""
        tokenizer = self.tokenizer(language)
        lines = [line for _, line in read_lines(self.text(language))]
        numbers = tokenizer(lines, add_special_tokens=False)["input_ids"]
        flat = np.concatenate([[*line, tokenizer.eos_token_id] for line in numbers])
        return torch.from_numpy(flat[: len(flat) // LENGTH * LENGTH].reshape(-1, LENGTH))

    @cached_property
    def model(self) -> Path:
        """The English model."""
        folder = self.work / "model"
        if not (folder / "config.json").exists():
            from transformers import GPT2Config, GPT2LMHeadModel

            torch.manual_seed(0)
            tokenizer = self.tokenizer("en")
            config = GPT2Config(
                vocab_size=len(tokenizer),
                n_positions=LENGTH,
                n_embd=128,
                n_layer=2,
                n_head=4,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
            model = GPT2LMHeadModel(config)
            losses = taught(model, self.rows("en"), self.pretraining, 0, (0, self.pretraining))
            say(f"English model: {losses}")
            (self.work / "english.json").write_text(json.dumps(losses))
            tokenizer.save_pretrained(folder)
            model.save_pretrained(folder)
        return folder

    def lexicon(self) -> Path:
        return self.data / "lexicons" / "en-es.0-5000.txt"

    def words(self, language: str) -> Path:
        """The text cut into words, cased: for fastText."""
        path = self.work / f"words.{language}.txt"
        if not path.exists():
            corpus = ja.Corpus(self.text(language), language, lowercase=False)
            with atomic(path, "w") as file:
                file.writelines(" ".join(line) + "\n" for line in corpus.lines())
        return path

    def space(self, kind: str, seed: int) -> ja.BilingualEmbedding:
        path = self.work / f"{kind}.{seed}.safetensors"
        if not path.exists():
            texts = [ja.Corpus(self.words(code), code, tokenized=True) for code in LANGUAGES]
            trainer, lexicon = ja.SkipGram(dimensions=100), ja.Lexicon.read(self.lexicon())
            sides = [trainer.fit(text, seed=seed, threads=1) for text in texts]
            apart = ja.BilingualEmbedding.separate(*sides, *LANGUAGES)
            ja.write(ja.align(apart, "procrustes", lexicon), self.work / f"separate.{seed}.safetensors")
            joint = trainer.fit(texts, seed=seed, threads=1)
            split = ja.reallocate(joint, *(text.counts() for text in texts), 0.9, *LANGUAGES)
            both = ja.align(ja.side_by_side(split, apart), "vecmap", lexicon)
            ja.write(ja.reduced(both, 100), self.work / f"both.{seed}.safetensors")
        return ja.read_bilingual(path)

    def wechsel_package(self, matrix: np.ndarray, seed: int) -> np.ndarray:
        import fasttext
        from wechsel import WECHSEL

        sides = []
        for code in LANGUAGES:
            path = self.work / f"fasttext.{code}.{seed}.bin"
            if not path.exists():  # `wechsel.train_embeddings`
                settings = {"dim": 100, "neg": 10, "model": "cbow", "minn": 5, "maxn": 5, "epoch": 20}
                text = shuffled(self.words(code), seed)
                made = fasttext.train_unsupervised(str(text), thread=1, verbose=0, **settings)
                made.save_model(str(path))
            sides.append(fasttext.load_model(str(path)))
        ours = WECHSEL(*sides, bilingual_dictionary=str(self.lexicon()))
        return ours.apply(*(self.tokenizer(code) for code in LANGUAGES), matrix)[0]

    def focus_package(self, matrix: np.ndarray, seed: int) -> np.ndarray:
        import fasttext
        from deepfocus import FOCUS

        old, new = (self.tokenizer(code) for code in LANGUAGES)
        path = self.work / f"fasttext.tokens.{seed}.bin"
        if not path.exists():  # `deepfocus.fasttext_embs.train_fasttext`
            text = self.work / "tokens.es.txt"
            with atomic(text, "w") as file:
                for _, line in read_lines(self.text("es")):
                    file.write(" ".join(new.tokenize(line)) + "\n")
            settings = {"dim": 100, "neg": 10, "model": "cbow", "epoch": 3, "minCount": 10}
            made = fasttext.train_unsupervised(str(shuffled(text, seed)), thread=1, verbose=0, **settings)
            made.save_model(str(path))
        found = FOCUS(
            new, old, torch.from_numpy(matrix), fasttext_model_path=str(path), seed=seed, verbosity="silent"
        )
        return found.numpy()

    def started(self, arm: str, seed: int):
        """The English model with Spanish rows."""
        model = load_model(self.model)
        old, new = (Tokens.of(self.tokenizer(code)) for code in LANGUAGES)
        rule, _, kind = arm.partition(" ")
        space = self.space(kind, seed) if kind in ("separate", "both") else None
        plain = map_tokens(
            old.tokenizer, new.tokenizer, space, rule if space or not kind else "random", Units.WORDS
        )
        matrix = model.get_input_embeddings().weight.detach().numpy().copy()
        move(model, plain, old, new, seed)
        if kind == "package":
            filled = getattr(self, f"{rule}_package")(matrix, seed)
            with torch.no_grad():
                model.get_input_embeddings().weight.copy_(torch.from_numpy(np.asarray(filled, np.float32)))
        return model, plain.counts

    def row(self, arm: str, seed: int) -> dict:
        model, counts = self.started(arm, seed)
        marks = [step for step in (0, 10, 20, 40, 60, 80, 120, 160, 240, 320) if step <= self.steps]
        losses = taught(model, self.rows("es"), self.steps, seed, marks)
        return {"method": arm, "seed": seed, "losses": losses} | (
            {} if "package" in arm else {"tokens": counts}
        )


def shuffled(text: Path, seed: int) -> Path:
    """The lines in another order: fastText's package knows of no seed."""
    path = text.with_suffix(f".{seed}.txt")
    lines = text.read_text("utf-8").splitlines(keepends=True)
    path.write_text(
        "".join(lines[row] for row in np.random.default_rng(seed).permutation(len(lines))), "utf-8"
    )
    return path


def taught(model, rows: torch.Tensor, steps: int, seed: int, marks) -> dict[int, float]:
    """Train; returns the held-out loss, in nats a token, after some steps."""
    rows, held_out = rows[:-100], rows[-100:]
    generator = torch.Generator().manual_seed(seed)
    order = torch.cat(
        [torch.randperm(len(rows), generator=generator) for _ in range(1 + steps * BATCH // len(rows))]
    )
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    losses = {}
    for step in range(steps + 1):
        if step in marks:
            model.eval()
            with torch.inference_mode():
                parts = [model(input_ids=part, labels=part).loss.item() for part in held_out.split(20)]
            losses[step] = round(float(np.mean(parts)), 4)
            model.train()
        if step < steps:
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, (step + 1) / WARM)
            batch = rows[order[step * BATCH : (step + 1) * BATCH]]
            model(input_ids=batch, labels=batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return losses


def say(text: str) -> None:
    print(f"{time.process_time():.0f} s: {text}", file=sys.stderr, flush=True)


def draw(rows: list[dict], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for number, arm in enumerate(ARMS):
        runs = [row["losses"] for row in rows if row["method"] == arm]
        if runs:
            steps = [int(step) for step in runs[0]]
            values = np.array([list(run.values()) for run in runs])
            style = "--" if "package" in arm else ":" if arm in ("random", "mean") else "-"
            axes.plot(steps, values.mean(0), style, color=f"C{number}", label=ARMS[arm])
            axes.fill_between(
                steps, values.min(0), values.max(0), color=f"C{number}", alpha=0.15, linewidth=0
            )
    axes.set(xlabel=f"steps of {LENGTH * BATCH:,} tokens", ylabel="loss on held-out Spanish, nats a token")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=600_000, help="words of each text")
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--pretraining", type=int, default=700, help="steps in English")
    parser.add_argument("--steps", type=int, default=80, help="in Spanish")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("studies/results"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    study = Study(
        options.data, options.work, options.tokens, options.vocabulary, options.pretraining, options.steps
    )
    kept = options.work / "rows.json"
    rows = json.loads(kept.read_text()) if kept.exists() else []
    for seed in range(options.seeds):
        for arm in ARMS:
            if not any(row["method"] == arm and row["seed"] == seed for row in rows):
                rows.append(study.row(arm, seed))
                say(f"{arm}, seed {seed}: {rows[-1]['losses']}")
                with atomic(kept, "w") as file:
                    json.dump(rows, file)
                written(rows, study, options)


def written(rows: list[dict], study: Study, options: argparse.Namespace) -> None:
    facts = {
        "command": f"studies/transfer.py --tokens {options.tokens} --vocabulary {options.vocabulary} "
        f"--pretraining {options.pretraining} --steps {options.steps} --seeds {options.seeds}",
        "version": __version__,
        "machine": platform.processor() or platform.machine(),
        "english": json.loads((study.work / "english.json").read_text()),
        "rows": rows,
    }
    with atomic(options.out / "transfer.json", "w") as file:
        json.dump(facts, file, indent=1)
    draw(rows, options.out / "transfer.png")


if __name__ == "__main__":
    main()
