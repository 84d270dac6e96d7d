"""Our Transformer's weights in the Marian model of `transformers`: an independent oracle."""

import numpy as np
import torch

from jointalign.translation.base import END, PADDING, START_TARGET


def marian(plan, weights, allowed, longest=128):
    """A Marian model that translates from language 0 into language 1 as ours does."""
    from transformers import MarianConfig, MarianMTModel

    shape = plan.shape
    assert not plan.separate and not shape.normalise_first
    config = MarianConfig(
        vocab_size=plan.vocabulary,
        decoder_vocab_size=plan.vocabulary,
        d_model=shape.dimensions,
        encoder_layers=shape.encoder_layers,
        decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.feedforward,
        decoder_ffn_dim=shape.feedforward,
        activation_function="relu",
        scale_embedding=True,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        max_position_embeddings=longest,
        pad_token_id=PADDING,
        eos_token_id=END,
        bos_token_id=None,
        decoder_start_token_id=START_TARGET,
        forced_eos_token_id=None,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
        num_beams=1,
    )
    model = MarianMTModel(config).eval()
    w = {name: weight.detach() for name, weight in weights.items()}
    state = {"model.shared.weight": w["table.0"]}
    for side in ("encoder", "decoder"):
        state[f"model.{side}.embed_tokens.weight"] = w["table.0"]
        for number, layer in enumerate(plan.layers(side, int(side == "decoder"))):
            state |= _layer(w, layer, f"model.{side}.layers.{number}", side)
    state["lm_head.weight"] = w["table.0"]
    bias = torch.full((1, plan.vocabulary), float("-inf"))
    bias[0, torch.from_numpy(np.asarray(allowed))] = w["table.0.bias"][allowed]
    state["final_logits_bias"] = bias
    wrong = model.load_state_dict(state, strict=False)
    assert not wrong.unexpected_keys
    assert all("embed_positions" in name for name in wrong.missing_keys)
    return model


def _layer(w, ours, theirs, side):
    names = {"self.out": "self_attn.out_proj", "feed.in": "fc1", "feed.out": "fc2"}
    names |= {"self.norm": "self_attn_layer_norm", "feed.norm": "final_layer_norm"}
    found = {}
    parts = [("self.in", ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"))]
    if side == "decoder":
        names |= {"cross.out": "encoder_attn.out_proj", "cross.query": "encoder_attn.q_proj"}
        names |= {"cross.norm": "encoder_attn_layer_norm"}
        parts.append(("cross.memory", ("encoder_attn.k_proj", "encoder_attn.v_proj")))
    for own, name in names.items():
        found[f"{theirs}.{name}.weight"] = w[f"{ours}.{own}"]
        found[f"{theirs}.{name}.bias"] = w[f"{ours}.{own}.bias"]
    for own, split in parts:
        for kind in ("", ".bias"):
            pieces = w[f"{ours}.{own}{kind}"].chunk(len(split))
            for name, piece in zip(split, pieces, strict=True):
                found[f"{theirs}.{name}.{kind[1:] or 'weight'}"] = piece
    return found
