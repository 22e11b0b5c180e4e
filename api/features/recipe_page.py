"""A recipe's own page: to read, to print, to share, and for other programs to import."""

import re
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.features.page import rendered
from api.features.search.api.deps import RecipeId, ServiceDep
from api.features.texts import Texts, texts_for
from itadaki.recipes.amounts import scaled
from itadaki.recipes.recipe import SearchResult

router = APIRouter(include_in_schema=False)
_MOST = 1000  # servings
_HOUR = 60


@router.get("/recipes/{recipe_id}", name="recipe page")
def recipe_page(
    request: Request,
    service: ServiceDep,
    recipe_id: RecipeId,
    servings: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
) -> Response:
    """The page of one recipe, for as many servings as are asked for."""
    recipe, texts = service.recipe(recipe_id), texts_for(request)
    named = {"collection": service.collection} if service.collection else {}
    address = request.url_for("recipe page", recipe_id=recipe_id).include_query_params(**named)
    photo = request.url_for("photo", photo_id=recipe_id).include_query_params(**named)
    base = _servings(recipe.servings)
    factor = Fraction(servings, base or 1) if servings else Fraction(1)
    is_plain = re.fullmatch(r"[\d\s–-]+", recipe.servings)
    return rendered(
        request,
        "recipe.html",
        texts=texts,
        recipe=recipe,
        address=str(address),
        photo=str(photo),
        named=f"?{photo.query}" if named else "",
        collection=service.collection,
        has_photo=service.system.photo_of(recipe_id) is not None,
        serves=texts("recipe.serves", servings=recipe.servings) if is_plain else recipe.servings,
        durations=[(name, _lasting(texts, minutes)) for name, minutes in _times(recipe) if minutes],
        base=base,
        servings=servings or base or 1,
        most=_MOST,
        lines=_lines(recipe.ingredients, factor),
        steps=_steps(recipe.instructions),
        linked_data=linked_data(recipe, str(address), str(photo)),
    )


def linked_data(recipe: SearchResult, address: str, photo: str) -> dict[str, Any]:
    """The recipe in schema.org's words, as Mealie, Tandoor and Nextcloud Cookbook read them."""
    known = {
        "name": recipe.title,
        "url": address,
        "image": [photo],
        "recipeIngredient": recipe.ingredients,
        "recipeInstructions": [
            {"@type": "HowToStep", "text": step} for step in _steps(recipe.instructions)
        ],
        "recipeYield": recipe.servings,
        **{f"{name}Time": minutes and f"PT{minutes}M" for name, minutes in _times(recipe)},
        "author": recipe.author and {"@type": "Person", "name": recipe.author},
        "keywords": ", ".join(recipe.keywords),
        "recipeCategory": recipe.dish_class,
        "isBasedOn": recipe.source,
    }
    data = {"@context": "https://schema.org", "@type": "Recipe"}
    return data | {name: value for name, value in known.items() if value}


def _servings(text: str) -> int | None:
    """The number in what a recipe says of its servings, the lesser one of two."""
    number = re.search(r"\d{1,4}", text[:100])
    return int(number[0]) if number and 1 <= int(number[0]) <= _MOST else None


def _times(recipe: SearchResult) -> list[tuple[str, int]]:
    return [
        ("prep", recipe.prep_minutes),
        ("cook", recipe.cook_minutes),
        ("total", recipe.total_minutes),
    ]


def _lasting(texts: Texts, minutes: int) -> str:
    hours, rest = divmod(minutes, _HOUR)
    parts = [texts("recipe.hours", hours=hours)] if hours else []
    parts += [texts("recipe.minutes", minutes=rest)] if rest else []
    return " ".join(parts)


def _lines(ingredients: list[str], factor: Fraction) -> list[tuple[str, bool]]:
    """Each line as it is for so much more, and whether it follows what is asked for."""
    if factor == 1:
        return [(line, True) for line in ingredients]
    found = [(line, scaled(line, factor)) for line in ingredients]
    return [(line if new is None else new, new is not None) for line, new in found]


def _steps(instructions: str) -> list[str]:
    return [step for line in instructions.split("\n") if (step := line.strip())]
