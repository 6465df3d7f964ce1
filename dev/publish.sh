#!/usr/bin/env bash
# Takes what was built and checked to where it is run from: the same images, not built again.
#
#   dev/publish.sh archive    save the images of VERSION to build/images/images.tar
#   dev/publish.sh images     push the images of VERSION to REGISTRY; from that archive where there is one
#   dev/publish.sh pages      put dashboard/dist into the bucket PAGES_BUCKET, behind the distribution PAGES_DISTRIBUTION
set -euo pipefail
cd "$(dirname "$0")/.."

version="${VERSION:-}"
version="${version#v}"
names=(auth logs tickets changelog ai gateway dashboard migrate)
archive=build/images/images.tar

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

require() {
  command -v "$1" >/dev/null || fail "$1 is not installed; this needs it."
}

find_images() {
  require docker
  [[ "$version" =~ ^[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}$ ]] \
    || fail "VERSION is '$version'; it is the tag of the images, such as VERSION=1.4.0."
  images=("${names[@]/%/:$version}")
  images=("${images[@]/#/aiops-}")
}

check_images() {
  for image in "${images[@]}"; do
    docker image inspect "$image" >/dev/null 2>&1 \
      || fail "There is no image $image, or Docker's engine does not answer. Make it: make images VERSION=$version"
  done
}

case "${1:-}" in
  archive)
    find_images
    check_images
    mkdir -p "$(dirname "$archive")"
    docker save --output "$archive" "${images[@]}"
    echo "$archive"
    ;;
  images)
    find_images
    [ -n "${REGISTRY:-}" ] || fail "REGISTRY is not set; it is where the images go, such as REGISTRY=registry.example/aiops."
    [ ! -f "$archive" ] || docker load --quiet --input "$archive"
    check_images
    for image in "${images[@]}"; do
      docker tag "$image" "$REGISTRY/$image"
      docker push --quiet "$REGISTRY/$image"
    done
    ;;
  pages)
    if [ -z "${PAGES_BUCKET:-}" ]; then
      echo "PAGES_BUCKET is not set: the cluster serves the pages, and there is nothing to do."
      exit 0
    fi
    require aws
    [ -n "${PAGES_DISTRIBUTION:-}" ] || fail "PAGES_DISTRIBUTION is not set; it is the distribution before PAGES_BUCKET."
    [ -f dashboard/dist/index.html ] || fail "dashboard/dist is not built. Run: make dashboard"
    # What the new page asks for is there before the page is. Older assets stay: pages that are open still ask for them.
    bare=(--only-show-errors --exclude '*.br' --exclude '*.gz')
    aws s3 sync dashboard/dist/assets "s3://$PAGES_BUCKET/assets" "${bare[@]}" \
      --cache-control "public, max-age=31536000, immutable"
    aws s3 sync dashboard/dist "s3://$PAGES_BUCKET" "${bare[@]}" --exclude 'assets/*' --exclude index.html \
      --cache-control no-cache
    aws s3 cp dashboard/dist/index.html "s3://$PAGES_BUCKET/index.html" --only-show-errors --cache-control no-cache
    aws cloudfront create-invalidation --distribution-id "$PAGES_DISTRIBUTION" --paths '/*' >/dev/null
    echo "The pages of this checkout are in $PAGES_BUCKET."
    ;;
  *)
    fail "usage: dev/publish.sh archive|images|pages"
    ;;
esac
