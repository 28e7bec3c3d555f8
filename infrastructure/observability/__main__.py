"""Write what is made from the code: `docs/metrics.md` and the dashboards."""

from infrastructure.observability.files import files

for path, content in files().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    print(path)
