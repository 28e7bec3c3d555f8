"""Catalogue and sales: everything under which rows come in and go out."""

from fastapi import APIRouter

from services.training.sales.catalogue_routes import router as catalogue_router
from services.training.sales.import_routes import router as import_router
from services.training.sales.reading_routes import router as reading_router

router = APIRouter()
for part in (catalogue_router, import_router, reading_router):
    router.include_router(part)
