"""How fast the service is, from ``reports/measurements/service.json``."""

from typing import Any

from tools.sizing import Table


def targets(found: dict[str, Any]) -> Table:
    """The figures that ``benchmarks/service.py`` measured, each with what is to be reached."""
    sizes = {"small": found["latency"]["small"], "12-megapixel": found["latency"]["phone"]}
    start, memory, decoding = found["start"], found["memory"], found["decode"]
    rows: list[list[str]] = []

    def add(figure: str, target: str, measured: str, reached: bool | None = None) -> None:
        verdict = {True: "yes", False: "**no**", None: ""}[reached]
        rows.append([figure, target, measured, verdict])

    for size, one in sizes.items():
        post, forward = one["post_p50_ms"], one["forward_p50_ms"]
        add(
            f"POST p50 over the bare forward pass, {size} photo",
            "at most 1.8 x" if size == "small" else "",
            f"{post / forward:.2f} x ({post:.1f} / {forward:.1f} ms, of which decoding "
            f"{one['decode_p50_ms']:.1f} ms)",
            post <= 1.8 * forward if size == "small" else None,
        )
    for size, one in sizes.items():
        seed, post = one["seed_post_p50_ms"], one["post_p50_ms"]
        add(
            f"the obvious way's POST p50 over ours, {size} photo",
            "at least 10 x",
            f"{seed / post:.1f} x ({seed:.0f} / {post:.1f} ms)",
            seed >= 10 * post,
        )
    for size, one in sizes.items():
        eight, alone = one["eight_clients_per_s"], one["one_client_per_s"]
        add(
            f"throughput of 8 clients over 1, {size} photo",
            "at least 1.3 x",
            f"{eight / alone:.2f} x ({eight:.0f} / {alone:.0f} per s)",
            eight >= 1.3 * alone,
        )
        slow, middle = one["eight_clients_p99_ms"], one["eight_clients_p50_ms"]
        add(
            f"p99 of 8 clients over their p50, {size} photo",
            "at most 4 x",
            f"{slow / middle:.1f} x ({slow:.0f} / {middle:.0f} ms)",
            slow <= 4 * middle,
        )
    first, tensorflow = start["first_answer_s"], start["tensorflow_load_s"]
    add("from process start to the first answer", "at most 4 s", f"{first:.2f} s", first <= 4)
    add(
        "importing TensorFlow and loading the .keras, over that",
        "at least 4 x",
        f"{tensorflow / first:.1f} x ({tensorflow:.1f} s)",
        tensorflow >= 4 * first,
    )
    requests = memory["requests"]
    after = memory[f"after_{requests}_mb"]
    add(
        f"resident memory after {requests:,} requests, over after 500",
        "within 5%",
        f"{memory['ratio']:.3f} x",
        abs(memory["ratio"] - 1) <= 0.05,
    )
    add("resident memory then", "at most 600 MB", f"{after:.0f} MB", after <= 600)
    if bank := found.get("bank"):
        ways = ("bank_per_s", "one_by_one_per_s")
        rates = [sorted(bank[way])[len(bank[way]) // 2] for way in ways]
        add(
            "building a bank, over model.predict one by one",
            "at least 8 x",
            f"{bank['ratio']:.1f} x ({' / '.join(f'{rate:.0f}' for rate in rates)} photos per s)",
            bank["ratio"] >= 8,
        )
    add(
        "decoding a 12-megapixel photo at reduced scale, over in full",
        "",
        f"{decoding['reduced_ms'] / decoding['full_ms']:.2f} x ({decoding['reduced_ms']:.0f} / "
        f"{decoding['full_ms']:.0f} ms); cosine of the embeddings at least "
        f"{decoding['cosine_min']:.4f}, median {decoding['cosine_median']:.4f}, "
        f"of {decoding['photos']} photos",
    )
    return ["figure", "to reach", "measured", "reached"], rows
