"""The only door to Polars in the car's packages: tables are imported where the cloud's size is.

from contactor.car.adapters.table_polars import pl      # MissingPart where it is not installed
"""

from contactor.errors import MissingPart

try:
    import polars as pl
except ModuleNotFoundError as error:
    raise MissingPart("import needs polars: pip install 'contactor[cloud]'") from error

__all__ = ["pl"]
