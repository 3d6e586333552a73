<?php
header('Content-Type: application/octet-stream');
$in = fopen('php://input', 'rb');
while (!feof($in)) echo fread($in, 8192);
