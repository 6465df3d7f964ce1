# One origin for the browser: pages and API have one host, so that the session's cookie is same-site and nothing needs CORS.

data "aws_cloudfront_cache_policy" "pages" {
  name = "Managed-CachingOptimized"
}

data "aws_cloudfront_cache_policy" "never" {
  name = "Managed-CachingDisabled"
}

# Every header, cookie and query of the viewer, the Host among them: the gateway compares it with Origin.
data "aws_cloudfront_origin_request_policy" "all" {
  name = "Managed-AllViewer"
}

locals {
  api_paths = ["/graphql", "/v1/*"]
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_68:Rules that read bodies would refuse the log lines that people upload: those hold attacks. The gateway limits rates, sizes and log-ins.
  #checkov:skip=CKV2_AWS_47:As above: a line with jndi: in it is evidence here, not an attack.
  #checkov:skip=CKV_AWS_86:The gateway logs requests, with their trace ids; those for pages say nothing about anybody.
  #checkov:skip=CKV_AWS_310:S3 and the load balancer each stand in several zones; there is no second region to fail over to.
  #checkov:skip=CKV_AWS_374:Where the people of an installation sit is theirs to say.
  enabled             = true
  comment             = var.name
  aliases             = [var.domain_name]
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = "PriceClass_100"
  default_root_object = "index.html"

  origin {
    origin_id                = "pages"
    domain_name              = aws_s3_bucket.pages.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.pages.id
  }

  origin {
    origin_id   = "api"
    domain_name = var.api_origin_domain_name

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 60
      origin_keepalive_timeout = 60
    }
  }

  default_cache_behavior {
    target_origin_id           = "pages"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "redirect-to-https"
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.pages.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.pages.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.pages.arn
    }
  }

  # What the gateway answers comes through as it is, 404 included. HTTPS alone: a redirect would come after the token.
  dynamic "ordered_cache_behavior" {
    for_each = local.api_paths

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "api"
      allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods           = ["GET", "HEAD"]
      viewer_protocol_policy   = "https-only"
      compress                 = false
      cache_policy_id          = data.aws_cloudfront_cache_policy.never.id
      origin_request_policy_id = data.aws_cloudfront_origin_request_policy.all.id
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}

resource "aws_cloudfront_origin_access_control" "pages" {
  name                              = "${var.name}-pages"
  description                       = "Reads the pages of ${var.name}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# In place of an error page for 404, which would hold for the API as well.
resource "aws_cloudfront_function" "pages" {
  name    = "${var.name}-pages"
  comment = "Deep links lead to the page whose script knows them."
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/pages.js")
}

# The gateway sends the same with pages of its own; a test holds the two equal.
resource "aws_cloudfront_response_headers_policy" "pages" {
  #checkov:skip=CKV_AWS_259:TLS is forced for a year, on this name; names beneath it are not ours to decide about.
  name    = "${var.name}-pages"
  comment = "Headers of the pages of ${var.name}"

  security_headers_config {
    content_security_policy {
      content_security_policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "same-origin"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
  }

  custom_headers_config {
    items {
      header   = "cross-origin-opener-policy"
      value    = "same-origin"
      override = true
    }

    items {
      header   = "cross-origin-resource-policy"
      value    = "same-origin"
      override = true
    }

    items {
      header   = "permissions-policy"
      value    = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
      override = true
    }
  }
}
