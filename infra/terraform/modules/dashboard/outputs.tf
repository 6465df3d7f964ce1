output "bucket_name" {
  description = "Bucket that the built pages are put into."
  value       = aws_s3_bucket.pages.id
}

output "bucket_arn" {
  description = "ARN of that bucket, for the role that puts them there."
  value       = aws_s3_bucket.pages.arn
}

output "distribution_id" {
  description = "Distribution whose cache forgets index.html after a release."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_arn" {
  description = "ARN of the distribution."
  value       = aws_cloudfront_distribution.this.arn
}

output "distribution_domain_name" {
  description = "Where the DNS record of domain_name leads to."
  value       = aws_cloudfront_distribution.this.domain_name
}
