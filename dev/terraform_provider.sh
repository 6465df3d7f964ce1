#!/usr/bin/env bash
# Fetches the provider that infra/terraform is written for into build/terraform, where its tests look for it.
# Terraform itself comes from the machine; done once, again only after build/ was deleted or another version was chosen.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v terraform >/dev/null || { echo "terraform is not installed: infra/terraform needs 1.11 or newer." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p build/terraform
# Any module will do: all of them name the same provider.
cp infra/terraform/modules/rds/versions.tf "$folder/"
CHECKPOINT_DISABLE=1 TF_PLUGIN_CACHE_DIR="$PWD/build/terraform" terraform -chdir="$folder" init -input=false >/dev/null
echo build/terraform
