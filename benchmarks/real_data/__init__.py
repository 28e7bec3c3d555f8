"""Real sales of bakeries, restaurants and shops, in the shape of a Morrow tenant.

The data is kept beside the repository, never in it: a reader of what is not there raises
`DataSetAbsent`.
"""

from benchmarks.real_data.files import DATA, DataSetAbsent
from benchmarks.real_data.registry import DATA_SETS, read_tenant
from benchmarks.real_data.tenant_data import TenantData

__all__ = ["DATA", "DATA_SETS", "DataSetAbsent", "TenantData", "read_tenant"]
