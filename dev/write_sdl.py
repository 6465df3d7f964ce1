"""Write the graph's SDL to the file that clients, reviewers and schema checks read."""

from pathlib import Path

from gateway.schema import Graph

SDL = Path(__file__).resolve().parent.parent / "gateway" / "src" / "gateway" / "schema.graphql"

if __name__ == "__main__":
    SDL.write_text(Graph().as_str() + "\n")
    print(f"wrote {SDL.name}")
